import WaybillCore

/// Which workflow calls which.
struct CallGraph {
    struct Call {
        /// The index of the workflow that is called.
        var callee: Int
        var place: SourcePlace
        /// Whether the caller may end without it.
        var isConditional: Bool
    }

    /// By the caller's index. Calls that nobody waits for are not among them: each of their runs ends.
    var calls: [[Call]]

    /// For each knot of calls one way around in it, as the calls on it: the callee of each makes the next.
    ///
    /// The search keeps its own stack, as a chain of calls may be as long as a tree has workflows.
    func circles(_ isFollowed: (Call) -> Bool) -> [[Call]] {
        var circles: [[Call]] = []
        var isOpen = [Bool](repeating: false, count: calls.count)
        var isDone = isOpen
        for root in calls.indices where !isDone[root] {
            /// The way from the root: a caller, how many of its calls were followed, and the call that led to it.
            var way: [(caller: Int, next: Int, call: Call?)] = [(root, 0, nil)]
            isOpen[root] = true
            while let (caller, next, _) = way.last {
                guard next < calls[caller].count else {
                    isOpen[caller] = false
                    isDone[caller] = true
                    way.removeLast()
                    continue
                }
                way[way.count - 1].next += 1
                let call = calls[caller][next]
                guard isFollowed(call), !isDone[call.callee] else { continue }
                if isOpen[call.callee] {
                    let first = way.firstIndex { $0.caller == call.callee } ?? 0
                    circles.append(way[(first + 1)...].compactMap(\.call) + [call])
                } else {
                    isOpen[call.callee] = true
                    way.append((call.callee, 0, call))
                }
            }
        }
        return circles
    }
}

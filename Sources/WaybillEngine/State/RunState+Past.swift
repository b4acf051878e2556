package import WaybillCore

// What undoes a step sees what that step saw, though a later visit has put something else in its place: what is about
// to change is kept for as long as something that was done before may still be undone.

/// A step as it was before an entry.
package struct PastStep: Sendable, Hashable {
    /// The entry with which its next visit began.
    package var until: Int
    package var state: StepState
}

/// A variable as it was before an entry changed it.
package struct PastValue: Sendable, Hashable {
    package var until: Int
    package var value: Value
}

extension RunState {
    /// Keeps what a step's last visit came to, before another one begins: once for all that was done meanwhile.
    mutating func preserve(_ id: InstanceID, before visit: Int?) {
        guard mayBeUndone, visit != self[id].visit, self[id].visit > 0,
            isWorthKeeping(since: frames[id.frame]?.past[id.step]?.last?.until ?? 0)
        else { return }
        var state = self[id]
        // Between two visits it is pending, and so is what was reopened: neither is what the visit came to.
        if state.status == .pending { state.status = state.error == nil ? .completed : .failed }
        state.intent = nil
        state.loop = nil
        frames[id.frame]?.past[id.step, default: []].append(PastStep(until: seq, state: state))
    }

    /// The same for a variable that is about to change.
    mutating func preserve(variable name: String) {
        guard let value = variables[name], isWorthKeeping(since: pastVariables[name]?.last?.until ?? 0) else { return }
        pastVariables[name, default: []].append(PastValue(until: seq, value: value))
    }

    /// Whether what was done last is not final. It tells of all before it.
    private var mayBeUndone: Bool { compensations.last.map { $0.status != .discharged } ?? false }

    /// Whether something was done since an entry that is not final.
    private func isWorthKeeping(since entry: Int) -> Bool {
        guard mayBeUndone, let newest = compensations.last else { return false }
        return newest.seq > entry
    }

    /// The variables as an entry left them.
    func variables(asLeftBy entry: Int) -> Object {
        var seen = variables
        for (name, values) in pastVariables {
            let index = values.firstIndex(after: entry, \.until)
            if index < values.count { seen[name] = values[index].value }
        }
        return seen
    }
}

extension Frame {
    /// The frame with its steps as an entry left them.
    func asLeft(by entry: Int) -> Frame {
        guard !past.isEmpty else { return self }
        var frame = self
        for (step, states) in past {
            let index = states.firstIndex(after: entry, \.until)
            if index < states.count { frame.steps[step] = states[index].state }
        }
        return frame
    }
}

extension [PastStep] {
    /// For checkpoints: `[{"until","step"}]`.
    func records(of step: Int) -> [Value] {
        compactMap { past in
            StepRecord(index: step, state: past.state).value.map { ["until": .int(Int64(past.until)), "step": $0] }
        }
    }
}

extension Array {
    /// The first element of an ascending list whose number is greater; its count where there is none.
    fileprivate func firstIndex(after number: Int, _ member: KeyPath<Element, Int>) -> Int {
        var (low, high) = (0, count)
        while low < high {
            let middle = (low + high) / 2
            if self[middle][keyPath: member] > number { high = middle } else { low = middle + 1 }
        }
        return low
    }
}

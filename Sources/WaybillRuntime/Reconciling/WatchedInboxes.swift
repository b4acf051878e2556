package import WaybillCore
package import WaybillPorts

/// Whose inboxes are watched, the oldest watch first.
///
/// What is gone leaves its place in the order behind, which is passed over when it comes up: else the end of each of
/// 100,000 watched runs would look through the places of all of them.
package struct WatchedInboxes: Sendable {
    /// So many places are not worth being cleared of those that are gone.
    private static let fewPlaces = 64

    private var runs: [WatchID: RunID] = [:]
    private var order: [WatchID] = []
    /// Of the first place in the order that was not taken yet.
    private var first = 0

    package init() {}

    package var count: Int { runs.count }

    package subscript(_ watch: WatchID) -> RunID? { runs[watch] }

    package mutating func insert(_ run: RunID, _ watch: WatchID) {
        if runs.updateValue(run, forKey: watch) == nil { order.append(watch) }
    }

    package mutating func remove(_ watch: WatchID) {
        guard runs.removeValue(forKey: watch) != nil else { return }
        clearIfMostlyGone()
    }

    /// Takes out the run whose inbox has been watched for longest.
    package mutating func popOldest() -> RunID? {
        while first < order.count {
            let run = runs.removeValue(forKey: order[first])
            first += 1
            if let run {
                clearIfMostlyGone()
                return run
            }
        }
        return nil
    }

    private mutating func clearIfMostlyGone() {
        guard order.count > Self.fewPlaces, order.count > 2 * runs.count else { return }
        order = order[first...].filter { runs[$0] != nil }
        first = 0
    }
}

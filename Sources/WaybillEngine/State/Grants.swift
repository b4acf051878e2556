import WaybillCore
import WaybillManifests

/// What is set aside of a run's budgets for the sub-runs that it called: added up from their `TASK_START` entries, and
/// given back when they end. What they used is the run's own use from then on.
package struct Grants: Sendable, Hashable {
    package var steps = 0
    package var retries = 0
    package var activeMicroseconds: Int64 = 0
    package var tokens = 0
    package var cost = 0.0
    /// Sub-runs under way that hold a grant.
    package var holders = 0

    package init() {}

    package var isEmpty: Bool { self == Grants() }

    /// - Parameter grant: `{"steps","retries","elapsed","active","cost","tokens"}`. Time that passes anyway is not set
    ///   aside.
    mutating func add(_ grant: Object) { count(grant, times: 1) }

    /// - Parameter isKept: of a detached sub-run, of whose end nobody hears: what it was granted is spent.
    mutating func release(_ grant: Object, isKept: Bool) {
        guard !isKept else {
            holders = max(0, holders - 1)
            return
        }
        count(grant, times: -1)
        // A checkpoint of a version that knew no grants has nothing that could be given back.
        steps = max(0, steps)
        retries = max(0, retries)
        activeMicroseconds = max(0, activeMicroseconds)
        tokens = max(0, tokens)
        // Sums of fractions leave a rest where there is none.
        cost = cost < 1e-9 ? 0 : cost
        holders = max(0, holders)
    }

    private mutating func count(_ grant: Object, times: Int) {
        let limits = LimitsDefinition(grant: grant)
        steps += times * (limits.steps ?? 0)
        retries += times * (limits.retries ?? 0)
        activeMicroseconds += Int64(times) * (limits.active?.microseconds ?? 0)
        tokens += times * (limits.tokens ?? 0)
        cost += Double(times) * (limits.cost ?? 0)
        holders += times
    }

    /// For checkpoints.
    var record: Value {
        [
            "steps": .int(Int64(steps)), "retries": .int(Int64(retries)),
            "activeMicroseconds": .int(activeMicroseconds),
            "tokens": .int(Int64(tokens)), "cost": .double(cost), "holders": .int(Int64(holders)),
        ]
    }

    init(record: Value) {
        func number(_ name: String) -> Int64 { record[name]?.intValue ?? 0 }
        steps = Int(number("steps"))
        retries = Int(number("retries"))
        activeMicroseconds = number("activeMicroseconds")
        tokens = Int(number("tokens"))
        cost = record["cost"]?.numberValue ?? 0
        holders = Int(number("holders"))
    }
}

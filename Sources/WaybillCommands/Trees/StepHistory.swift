import WaybillCore
import WaybillEngine
import WaybillStore

/// What a ledger says about each step, for people: gathered from the entries themselves, so that it can be shown
/// whatever wrote them.
struct StepHistory: Sendable {
    struct Step: Sendable {
        var id: String
        var status = "pending"
        var visit = 0
        var attempt = 0
        var startedAt: Timestamp?
        var endedAt: Timestamp?
        var exitCode: Int?
        /// The error's message.
        var error: String?
        /// Why it was skipped, as the ledger has it: `if`, or the need that did not come true.
        var reason: String?
        /// The `if` of this visit and what it saw.
        var guardExpression: String?
        var guardValues = Object()
        var waitsFor: String?
        var denial: String?
    }

    /// In the order in which they first came up.
    private(set) var steps: [Step] = []
    private var indices: [String: Int] = [:]
    /// Of the steps at work.
    private var runningIndices: Set<Int> = []
    /// The step and the visit that each step which undoes is about, by its address.
    private var undone: [String: (step: String, visit: Int)] = [:]
    /// Attempts in the order of their starts.
    private(set) var attempts: [AttemptReference] = []

    /// Those at work, in the order in which they first came up.
    var running: [Step] { runningIndices.sorted().map { steps[$0] } }

    /// The step with an address.
    func step(_ id: String) -> Step? { indices[id].map { steps[$0] } }

    mutating func take(_ entry: Entry) {
        guard let id = entry.step else { return }
        let index = index(of: id)
        defer {
            if steps[index].status == "running" { runningIndices.insert(index) } else { runningIndices.remove(index) }
        }
        if let visit = entry.visit, visit > steps[index].visit {
            // A new visit: what was known is of the one before.
            steps[index] = Step(id: id)
            steps[index].visit = visit
        }
        switch entry.type {
        case .guardEval:
            steps[index].guardExpression = entry.data["expression"]?.stringValue
            steps[index].guardValues = entry.data["values"]?.objectValue ?? Object()
        case .policyPre:
            if entry.data["verdict"]?.stringValue == "deny", entry.data["mode"]?.stringValue == "enforce" {
                steps[index].denial = entry.data["message"]?.stringValue
            }
        case .taskStart: start(index, entry)
        case .taskWaiting:
            steps[index].status = entry.data["reply"]?.stringValue == "unknown" ? "unknown" : "waiting"
            steps[index].waitsFor = entry.data["key"]?.stringValue
        case .taskResumed:
            steps[index].status = "running"
            steps[index].waitsFor = nil
        case .taskRetry: steps[index].status = "pending"
        case .taskUnknown: steps[index].status = "unknown"
        // A rejected result that is undone before its visit ends leaves the step as that ends.
        case .compensation where entry.data["reason"]?.stringValue != "rejected":
            undone["\(id)-\(Frame.compensate)"] = (id, entry.visit ?? 1)
        case .taskEnd: end(index, entry)
        default: break
        }
    }

    private mutating func index(of id: String) -> Int {
        if let index = indices[id] { return index }
        indices[id] = steps.count
        steps.append(Step(id: id))
        return steps.count - 1
    }

    private mutating func start(_ index: Int, _ entry: Entry) {
        let attempt = entry.attempt ?? 1
        steps[index].status = "running"
        steps[index].attempt = attempt
        steps[index].endedAt = nil
        if attempt == 1 || steps[index].startedAt == nil { steps[index].startedAt = entry.ts }
        if entry.data["action"]?.stringValue == "run" {
            attempts.append(AttemptReference(step: steps[index].id, visit: entry.visit ?? 1, attempt: attempt))
        }
    }

    private mutating func end(_ index: Int, _ entry: Entry) {
        let data = entry.data
        steps[index].status = data["status"]?.stringValue ?? "failed"
        steps[index].endedAt = entry.ts
        steps[index].exitCode = data["exitCode"]?.intValue.map(Int.init)
        steps[index].error = data["error"]?["message"]?.stringValue
        steps[index].reason = data["reason"]?.stringValue
        steps[index].waitsFor = nil
        guard let undone = undone.removeValue(forKey: steps[index].id) else { return }
        let step = self.index(of: undone.step)
        guard ["completed", "skipped"].contains(steps[index].status), steps[step].visit == undone.visit else { return }
        steps[step].status = "compensated"
    }
}

extension StepHistory.Step {
    /// From the start to the end, or until now.
    func duration(now: Timestamp) -> Duration? {
        guard let startedAt else { return nil }
        return (endedAt ?? now) - startedAt
    }

    /// What one wants to know beside the status, in one line.
    var detail: String {
        switch status {
        case "skipped":
            guard reason == "if" || reason == nil, let guardExpression else { return reason ?? "" }
            let values = guardValues.map { "\($0.key) = \(Text.value($0.value))" }.joined(separator: ", ")
            return "if \(guardExpression)" + (values.isEmpty ? "" : ": \(values)")
        case "waiting", "unknown":
            let key = waitsFor.map { "waits for \($0)" } ?? ""
            return key
        case "failed", "cancelled": return error ?? denial ?? reason ?? ""
        default:
            var parts: [String] = []
            if let exitCode, exitCode != 0 { parts.append("exit \(exitCode)") }
            if visit > 1 { parts.append("visit \(visit)") }
            if attempt > 1 { parts.append("attempt \(attempt)") }
            return parts.joined(separator: ", ")
        }
    }

    var value: Value {
        var object: Object = [
            "step": .string(id), "status": .string(status), "visit": .int(Int64(visit)),
            "attempt": .int(Int64(attempt)),
            "startedAt": startedAt.map { .string($0.description) } ?? .null,
            "endedAt": endedAt.map { .string($0.description) } ?? .null,
            "exitCode": exitCode.map { .int(Int64($0)) } ?? .null,
        ]
        if let error { object["error"] = .string(error) }
        if let reason { object["reason"] = .string(reason) }
        if let guardExpression {
            object["if"] = ["expression": .string(guardExpression), "values": .object(guardValues)]
        }
        if let waitsFor { object["waitsFor"] = .string(waitsFor) }
        return .object(object)
    }
}

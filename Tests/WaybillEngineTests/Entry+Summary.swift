import WaybillCore
import WaybillEngine

extension Entry {
    /// The entry in a line: type, `step[.visit][/attempt]`, and the members of its data that decide something.
    /// An attempt that is not there is not shown; a visit is shown from the second on.
    var summary: String {
        var words = [type.rawValue]
        if let step {
            words.append(step + (visit.map { $0 > 1 ? ".\($0)" : "" } ?? "") + (attempt.map { "/\($0)" } ?? ""))
        }
        words += details
        return words.joined(separator: " ")
    }

    private var details: [String] {
        switch type {
        case .runEnd: [text("status")] + outcome
        case .taskStart: [text("action")]
        case .taskEnd: [text("status")] + outcome
        case .taskRetry, .taskUnknown: [text("reason")]
        case .taskWaiting: [text("key"), text("reason")] + optional("until").map { ["until " + $0] }.joined()
        case .taskResumed: [text("key"), "by", text("by")]
        case .guardEval: ["(" + text("expression") + ")", "is", shown("result")]
        case .verification: [text("field"), "(" + text("expression") + ")", "is", shown("result")]
        case .compensation: []
        case .branchTaken: ["to", text("to")]
        case .policyPre: ["\(by ?? "?")/\(text("rule"))", text("mode"), text("verdict")]
        case .answerAccepted: [text("key"), "by", by ?? "?"]
        case .answerRejected:
            data["count"] == nil ? [text("key"), text("kind") + ":", text("message")] : ["count", shown("count")]
        case .snapshot, .diagnostic: [optional("name").first ?? text("message")]
        case .runCancelled, .runResumed: optional("reason")
        default: []
        }
    }

    private var outcome: [String] {
        var words = optional("reason").map { "(\($0))" }
        for name in ["output", "outputs", "finishOutputs", "exitCode", "update", "handled"] where data[name] != nil {
            words.append("\(name)=\(shown(name))")
        }
        for name in ["outputRef", "outputsRef", "finishOutputsRef"] where data[name] != nil { words.append(name) }
        if let failure = Failure(data["error"]) {
            words.append("\(failure.kind.rawValue)[\(failure.step ?? "run")]: \(failure.message)")
        }
        return words
    }

    private func text(_ name: String) -> String { data[name]?.stringValue ?? "?" }
    private func optional(_ name: String) -> [String] { data[name]?.stringValue.map { [$0] } ?? [] }
    private func shown(_ name: String) -> String {
        data[name].map { String(decoding: JSON.compact($0), as: UTF8.self) } ?? "?"
    }
}

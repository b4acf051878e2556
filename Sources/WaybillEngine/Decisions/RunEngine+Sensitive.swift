import WaybillCore
import WaybillExpressions
import WaybillManifests

// What is sensitive is known from where it came: a reader of it is told by its references.

extension RunEngine {
    /// What stands for a sensitive value where a value would be recorded.
    static let hidden = "(sensitive)"

    /// Whether any of these reads something sensitive.
    func readsSensitive(_ references: [Reference]) -> Bool {
        references.contains { isSensitive($0.path) }
    }

    /// In a workflow with a sensitive output every `output` counts: the entry has to be right, not clever.
    func isSensitive(_ path: [String]) -> Bool {
        let steps = definition.workflow.sensitiveSteps
        guard !steps.isEmpty else { return false }
        switch path.first {
        case "output": return true
        case "steps":
            guard path.count > 1 else { return true }
            return steps.contains(path[1]) && (path.count == 2 || path[2] == "output" || path[2] == "items")
        default: return false
        }
    }

    /// The ids of the steps that these read something sensitive of.
    func sensitiveSources(of references: [Reference]) -> [String] {
        references.filter { isSensitive($0.path) && $0.path[0] == "steps" && $0.path.count > 1 }.map { $0.path[1] }
    }

    /// The failure of an evaluation; what it read is not quoted where it is sensitive.
    func failure(_ error: ExpressionError, in place: String, reading references: [Reference]) -> Failure {
        guard readsSensitive(references) else { return Failure(error, in: place) }
        return Failure(.expression, "\(place): cannot be evaluated; what it reads is sensitive, and so is the reason")
    }
}

extension StepDefinition {
    var isSensitive: Bool { output?.isSensitive == true }
}

extension ResolvedAction {
    /// Puts what is sensitive into the intent, as references; the digests of what is to be stored.
    mutating func seal(with engine: inout RunEngine) -> Set<Digest> {
        let before = engine.draft.blobs.count
        for (name, value) in sensitive { engine.writeSealed(value, as: name, into: &intent) }
        // Whoever erases an output has to find what was made of it.
        if !sources.isEmpty {
            intent["sealedFrom"] = .list(sources.sorted { $0.precedesInCodePoints($1) }.map(Value.string))
        }
        sensitive = Object()
        return Set(engine.draft.blobs[before...].map(\.digest))
    }
}

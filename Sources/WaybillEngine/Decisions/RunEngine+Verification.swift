import WaybillCore
import WaybillExpressions
import WaybillManifests

/// A part of the workflow that could not be evaluated, or a condition that did not hold.
struct EvaluationFailure: Error {
    var failure: Failure

    init(_ failure: Failure) { self.failure = failure }
}

/// A `VERIFICATION` entry that is not written yet: conditions are evaluated before the end they belong to is decided.
struct PendingVerification: Sendable {
    var step: String?
    var visit: Int?
    var data: Object
}

extension Failure {
    /// An expression that cannot be evaluated; `place` names the field.
    init(_ error: ExpressionError, in place: String) {
        self.init(.expression, "\(place): \(error.message)")
    }
}

extension RunEngine {
    /// Evaluates a condition that must hold, and notes the entry that says so.
    mutating func verify(
        _ condition: Expression, in scope: RunScope, name: String, step: String? = nil, visit: Int? = nil
    ) throws(EvaluationFailure) {
        var data: Object = ["expression": .string(condition.source), "field": .string(name)]
        defer { draft.verifications.append(PendingVerification(step: step, visit: visit, data: data)) }
        data["values"] = seen(by: condition, in: scope)
        let holds: Bool
        do throws(ExpressionError) {
            holds = try condition.condition(in: scope)
        } catch {
            data["result"] = false
            let message = readsSensitive(condition.references) ? Self.hidden : error.message
            data["error"] = .string(message)
            throw EvaluationFailure(Failure(.verification, "\(name): \(message)"))
        }
        data["result"] = .bool(holds)
        if !holds {
            throw EvaluationFailure(Failure(.verification, "\(name) does not hold: \(condition.source)"))
        }
    }

    mutating func flushVerifications() throws(EngineError) {
        let pending = draft.verifications
        draft.verifications = []
        for verification in pending {
            try emit(.verification, step: verification.step, visit: verification.visit, verification.data)
        }
    }

    /// The workflow's `outputs`. An entry that reads the output of a step that did not complete is left out.
    func evaluateOutputs() throws(EvaluationFailure) -> Object {
        var outputs = Object()
        let scope = RunScope(self)
        for output in definition.workflow.outputs {
            do throws(ExpressionError) {
                guard let value = try output.template.value(in: scope) else { continue }
                outputs[output.name] = value
            } catch {
                guard !readsMissingOutput(output.template) else { continue }
                throw EvaluationFailure(Failure(error, in: "outputs.\(output.name)"))
            }
        }
        guard !ValueLimits.isTooDeep(.object(outputs)) else {
            throw EvaluationFailure(Failure(.limit, "outputs: are nested deeper than \(ValueLimits.depth) levels"))
        }
        return outputs
    }

    /// Whether a template reads something of a step that is only there once the step completed.
    private func readsMissingOutput(_ template: Template) -> Bool {
        template.references.contains { reference in
            let path = reference.path
            guard path.count >= 3, path[0] == "steps", path[2] != "status",
                let id = state.instance(at: path[1])
            else {
                return false
            }
            return state[id].status != .completed
        }
    }
}

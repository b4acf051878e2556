import WaybillCore
import WaybillExpressions
import WaybillManifests

// `http` steps.

extension RunEngine {
    func resolve(
        _ action: HTTPAction, of step: StepDefinition, _ id: InstanceID, visit: Int, in scope: RunScope,
        into resolved: inout ResolvedAction
    ) throws(EvaluationFailure) {
        throw EvaluationFailure(Failure(.executor, "`http` is not carried out by this version yet"))
    }

    mutating func end(
        _ id: InstanceID, _ step: StepDefinition, with response: HTTPResponse, _ report: AttemptReport
    ) throws(EngineError) {
        try settle(id, .failed(Failure(.executor, "HTTP status \(response.status)", status: response.status), report))
    }
}

import WaybillCore
import WaybillExpressions
import WaybillManifests

// `http` steps: the whole request is recorded before it is sent, and the response decides.

extension RunEngine {
    func resolve(
        _ action: HTTPAction, of step: StepDefinition, _ id: InstanceID, visit: Int, in scope: RunScope,
        into resolved: inout ResolvedAction
    ) throws(EvaluationFailure) {
        let values = HTTPRequestValues(
            method: action.method, url: try evaluateText(action.url, in: scope, "http.url"),
            query: try evaluate(action.query, in: scope, "http.query"),
            headers: try evaluate(action.headers, in: scope, "http.headers"), secretHeaders: action.secretHeaders,
            body: try evaluate(action.body, in: scope),
            authentication: try action.authentication.map { authentication throws(EvaluationFailure) in
                try evaluate(authentication, in: scope)
            })
        let key = IdempotencyKey.make(run: state.id, address: state.address(of: id), visit: visit)
        do throws(HTTPRequestError) {
            let intent = try HTTPIntent.make(
                values, idempotencyKey: key, timeout: step.timeout ?? HTTPAction.defaultTimeout,
                maxSize: step.output?.maxSize)
            for (name, value) in intent { resolved.intent[name] = value }
        } catch {
            throw EvaluationFailure(error.failure)
        }
        resolved.intent["action"] = "http"
        resolved.intent["boot"] = .string(draft.moment.boot)
        if let pool = step.pool { resolved.intent["pool"] = .string(pool) }
        var view = Object()
        for name in ["method", "url", "headers", "body"] { view[name] = resolved.intent[name] ?? .null }
        resolved.policyView["http"] = .object(view)
        resolved.policyView["secrets"] = .list(SecretUse.names(in: resolved.intent).map(Value.string))
    }

    /// Those that `optional.none()` leaves out are missing.
    private func evaluate(
        _ templates: [NamedTemplate], in scope: RunScope, _ field: String
    ) throws(EvaluationFailure) -> [HTTPRequestValues.Named] {
        var values: [HTTPRequestValues.Named] = []
        for named in templates {
            guard let text = try evaluateOptionalText(named.template, in: scope, "\(field).\(named.name)") else {
                continue
            }
            values.append((named.name, text))
        }
        return values
    }

    private func evaluate(
        _ body: HTTPAction.Body, in scope: RunScope
    ) throws(EvaluationFailure) -> HTTPRequestValues.Body {
        switch body {
        case .none: .none
        case .json(let template): .json(try evaluate(template, in: scope, "http.json"))
        case .form(let fields): .form(try evaluate(fields, in: scope, "http.form"))
        case .text(let template): .text(try evaluateText(template, in: scope, "http.text"))
        case .file(let template): .file(try evaluateText(template, in: scope, "http.file"))
        }
    }

    private func evaluate(
        _ authentication: HTTPAction.Authentication, in scope: RunScope
    ) throws(EvaluationFailure) -> HTTPRequestValues.Authentication {
        switch authentication {
        case .bearer(let secret): .bearer(secret: secret)
        case .basic(let user, let secret):
            .basic(user: try evaluateText(user, in: scope, "http.auth.basic.user"), secret: secret)
        }
    }

    /// Ends the attempt of a request that was answered.
    mutating func end(
        _ id: InstanceID, _ step: StepDefinition, with reply: HTTPReply, _ report: AttemptReport
    ) throws(EngineError) {
        guard case .http(let action) = step.action else {
            throw EngineError(.unexpectedStimulus, "\(state.address(of: id)) sent no request")
        }
        var report = report
        switch HTTPResponseReader(expect: action.expect, output: step.output).read(reply) {
        case .success(let output): try settle(id, .completed(output: output, report))
        case .failure(let error):
            var failure = error.failure
            failure.status = error.status
            report.retryAt = reply.retryAfter(now: draft.moment.now)
            try settle(id, .failed(failure, report))
        }
    }
}

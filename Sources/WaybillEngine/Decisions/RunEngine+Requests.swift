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
            headers: try evaluate(action.headers, in: scope, "http.headers"), secretQuery: action.secretQuery,
            secretHeaders: action.secretHeaders,
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
        case .json(let content): .json(try text(of: content, in: scope) ?? RequestText("null"))
        case .form(let fields, let secrets): .form(try evaluate(fields, in: scope, "http.form"), secrets: secrets)
        case .secret(let text): .secret(text)
        case .text(let template): .text(try evaluateText(template, in: scope, "http.text"))
        case .file(let template): .file(try evaluateText(template, in: scope, "http.file"))
        }
    }

    /// A JSON text; nil where it is `optional.none()`, which entries and members leave out.
    private func text(of content: HTTPAction.Content, in scope: RunScope) throws(EvaluationFailure) -> RequestText? {
        var text = RequestText()
        switch content {
        case .template(let template):
            guard let value = try evaluateOptional(template, in: scope, "http.json") else { return nil }
            text.append(String(decoding: JSON.compact(value), as: UTF8.self))
        case .secret(let secret):
            text.append("\"")
            text.append(secret, as: .json)
            text.append("\"")
        case .list(let items):
            text.append("[")
            for item in items {
                guard let part = try self.text(of: item, in: scope) else { continue }
                if text.text != "[" { text.append(",") }
                text.append(part)
            }
            text.append("]")
        case .map(let members):
            text.append("{")
            // The order of all maps.
            for (key, value) in members.sorted(by: { $0.key.precedesInCodePoints($1.key) }) {
                guard let part = try self.text(of: value, in: scope) else { continue }
                if text.text != "{" { text.append(",") }
                text.append(String(decoding: JSON.compact(.string(key)), as: UTF8.self) + ":")
                text.append(part)
            }
            text.append("}")
        }
        return text
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

import WaybillCore
import WaybillExpressions
import WaybillManifests

// Starting a step: its fields are evaluated, the policies have their say, and the intent is recorded.

/// A step's fields, evaluated: what policies see and what `TASK_START` records.
struct ResolvedAction: Sendable {
    /// The members of `TASK_START`'s data.
    var intent = Object()
    /// For an ask or a wait: what opens.
    var wait: Object?
    /// For a `set`, `fail` or `finish`: what it comes to.
    var immediate: StepResult?
    var snapshot: Object?
    /// As policies see it: `argv shell env with`.
    var policyView = Object()
}

extension RunEngine {
    mutating func start(_ index: Int, visit: Int) throws(EngineError) {
        let step = definition.workflow.plan.steps[index]
        let resolved: ResolvedAction
        do throws(EvaluationFailure) {
            resolved = try resolve(step, index: index, visit: visit)
        } catch {
            return try settle(index, .failed(error.failure, AttemptReport()), visit: visit)
        }
        if let denial = try consultPolicies(on: step, index: index, visit: visit, view: resolved.policyView) {
            return try settle(index, .failed(denial, AttemptReport()), visit: visit)
        }
        var intent = resolved.intent
        intent["action"] = .string(step.action.name)
        try emit(.taskStart, step: step.id, visit: visit, attempt: 1, intent)
        if case .run = step.action, let attempt = state.attempt(at: index) {
            draft.effects.append(.launch(attempt))
        } else if var wait = resolved.wait {
            draft.isMilestone = true
            wait["key"] = .string(state.steps[index].waitKey(address: step.id))
            try emit(.taskWaiting, step: step.id, visit: visit, attempt: 1, wait)
        } else if let snapshot = resolved.snapshot {
            let taken = try takeSnapshot(snapshot, step: step.id, visit: visit)
            try settle(index, .completed(output: .object(taken), AttemptReport()))
        } else if let immediate = resolved.immediate {
            try settle(index, immediate)
        }
    }

    private mutating func resolve(
        _ step: StepDefinition, index: Int, visit: Int
    ) throws(EvaluationFailure) -> ResolvedAction {
        let scope = RunScope(self, step: index, visit: visit)
        var resolved = ResolvedAction()
        switch step.action {
        case .run(let action):
            try resolve(action, of: step, in: scope, into: &resolved)
        case .ask(let action):
            resolved.wait = try resolve(action, of: step, in: scope)
        case .wait(let action):
            resolved.wait = try resolve(action, in: scope)
        case .set(let template):
            resolved.immediate = .completed(output: try evaluateMap(template, in: scope, "set"), AttemptReport())
        case .snapshot(let action):
            let snapshot = try resolve(action, in: scope)
            resolved.snapshot = snapshot
        case .fail(let message):
            let text = try evaluateText(message, in: scope, "fail.message")
            resolved.immediate = .failed(Failure(.failed, text), AttemptReport())
        case .finish:
            resolved.immediate = .completed(output: nil, AttemptReport())
        case .http, .first, .emit, .call, .steps, .uses, .forEach:
            throw EvaluationFailure(Failure(.executor, "`\(step.action.name)` is not carried out by this version yet"))
        }
        let size =
            ValueLimits.size(of: .object(resolved.intent)) + ValueLimits.size(of: .object(resolved.wait ?? Object()))
        guard size <= ValueLimits.intentBytes else {
            throw EvaluationFailure(
                Failure(.limit, "the fields of \(step.id) come to more than \(ValueLimits.intentBytes) bytes"))
        }
        return resolved
    }

    // MARK: - Fields

    func evaluate(_ template: Template, in scope: RunScope, _ field: String) throws(EvaluationFailure) -> Value {
        let value: Value
        do throws(ExpressionError) {
            value = try template.value(in: scope) ?? .null
        } catch {
            throw EvaluationFailure(Failure(error, in: field))
        }
        guard !ValueLimits.isTooDeep(value) else {
            throw EvaluationFailure(Failure(.limit, "\(field): is nested deeper than \(ValueLimits.depth) levels"))
        }
        return value
    }

    /// Evaluates a template whose place takes a map; a lone `${{ }}` may give anything.
    func evaluateMap(_ template: Template, in scope: RunScope, _ field: String) throws(EvaluationFailure) -> Value {
        let value = try evaluate(template, in: scope, field)
        guard value.objectValue != nil else {
            throw EvaluationFailure(Failure(.expression, "\(field): expected a map, got \(value.kindName)"))
        }
        return value
    }

    /// Evaluates a template whose place takes text: a lone `${{ }}` is converted as inside text.
    func evaluateText(_ template: Template, in scope: RunScope, _ field: String) throws(EvaluationFailure) -> String {
        try evaluateOptionalText(template, in: scope, field) ?? ""
    }

    /// The same where `optional.none()` leaves something out: an argument, an environment variable.
    private func evaluateOptionalText(
        _ template: Template, in scope: RunScope, _ field: String
    ) throws(EvaluationFailure) -> String? {
        do throws(ExpressionError) {
            return try template.text(in: scope)
        } catch {
            throw EvaluationFailure(Failure(error, in: field))
        }
    }

    private func resolve(
        _ action: RunAction, of step: StepDefinition, in scope: RunScope, into resolved: inout ResolvedAction
    ) throws(EvaluationFailure) {
        var environment = Object()
        for (name, value) in definition.settings.environment { environment[name] = .string(value) }
        for binding in definition.workflow.environment + step.environment {
            environment[binding.name] = try evaluateOptionalText(binding.template, in: scope, "env.\(binding.name)")
                .map(Value.string)
        }
        switch action.command {
        case .argv(let templates):
            var arguments: [Value] = []
            for (position, template) in templates.enumerated() {
                if let argument = try evaluateOptionalText(template, in: scope, "run.argv[\(position)]") {
                    arguments.append(.string(argument))
                }
            }
            resolved.intent["argv"] = .list(arguments)
            resolved.policyView["shell"] = false
        case .script(let text, let shell):
            resolved.intent["argv"] = [.string(shell), "-eu", "-c", .string(text)]
            resolved.policyView["shell"] = true
        }
        resolved.policyView["argv"] = policyArguments(of: action, resolved: resolved.intent["argv"] ?? .list([]))
        resolved.policyView["env"] = .object(environment)
        if !environment.isEmpty { resolved.intent["env"] = .object(environment) }
        switch action.workingDirectory {
        case .tree: break
        case .scratch: resolved.intent["scratch"] = true
        case .path(let template): resolved.intent["cwd"] = .string(try evaluateText(template, in: scope, "run.cwd"))
        }
        if let input = action.standardInput {
            let value = try evaluate(input, in: scope, "run.stdin")
            resolved.intent["stdin"] = .string(
                value.stringValue ?? String(decoding: JSON.compact(value), as: UTF8.self))
        }
        if let timeout = step.timeout { resolved.intent["timeout"] = .string(timeout.text) }
        resolved.intent["boot"] = .string(draft.moment.boot)
    }

    /// A script is `["/bin/sh","-c",...]` to policies, whatever else it is run with.
    private func policyArguments(of action: RunAction, resolved argv: Value) -> Value {
        guard case .script(let text, let shell) = action.command else { return argv }
        return [.string(shell), "-c", .string(text)]
    }

    private func resolve(
        _ action: AskAction, of step: StepDefinition, in scope: RunScope
    ) throws(EvaluationFailure) -> Object {
        var data: Object = ["reason": .string(WaitReason.user.rawValue)]
        data["prompt"] = .string(try evaluateText(action.prompt, in: scope, "ask.prompt"))
        switch action.reply {
        case .any: data["reply"] = .string(ReplyForm.any.rawValue)
        case .schema(_, let schema):
            data["reply"] = .string(ReplyForm.schema.rawValue)
            data["schema"] = schema
        case .choices(let choices):
            data["reply"] = .string(ReplyForm.choices.rawValue)
            data["choices"] = .list(choices.map(Value.string))
        case .approval:
            data["reply"] = .string(ReplyForm.approval.rawValue)
            data["schema"] = Reply.approvalSchema
        }
        if !action.attachments.isEmpty {
            var attachments: [Value] = []
            for template in action.attachments { attachments.append(try evaluate(template, in: scope, "ask.attach")) }
            data["attach"] = .list(attachments)
        }
        if let timeout = step.timeout { data["until"] = .string((draft.moment.now + timeout).description) }
        if let template = action.defaultAnswer {
            let value = try evaluate(template, in: scope, "ask.default")
            switch Reply(action.reply).judge(value) {
            case .success(let answer): data["default"] = answer
            case .failure(let refusal):
                throw EvaluationFailure(Failure(.answer, "ask.default is no valid answer: \(refusal.message)"))
            }
        }
        return data
    }

    private func resolve(_ action: WaitAction, in scope: RunScope) throws(EvaluationFailure) -> Object {
        let until: Timestamp
        switch action {
        case .duration(let template):
            let text = try evaluateText(template, in: scope, "wait.for")
            guard let duration = Duration(text: text) else {
                throw EvaluationFailure(Failure(.expression, "wait.for: '\(text)' is no duration such as 90s or 1h30m"))
            }
            until = draft.moment.now + duration
        case .until(let template):
            let text = try evaluateText(template, in: scope, "wait.until")
            guard let time = Timestamp(rfc3339: text) else {
                throw EvaluationFailure(
                    Failure(.expression, "wait.until: '\(text)' is no time such as 2026-11-20T10:15:00Z"))
            }
            until = time
        case .next, .event, .job:
            throw EvaluationFailure(Failure(.executor, "this wait is not carried out by this version yet"))
        }
        return ["reason": .string(WaitReason.until.rawValue), "until": .string(until.description)]
    }

    // MARK: - Snapshots

    private func resolve(_ action: SnapshotAction, in scope: RunScope) throws(EvaluationFailure) -> Object {
        let name = try evaluateText(action.name, in: scope, "snapshot.name")
        guard SnapshotName.isValid(name) else {
            throw EvaluationFailure(Failure(.expression, "snapshot.name: '\(name)' \(SnapshotName.rule)"))
        }
        var data: Object = ["name": .string(name)]
        if let description = action.description {
            data["description"] = .string(try evaluateText(description, in: scope, "snapshot.description"))
        }
        if let tags = action.tags {
            let value = try evaluate(tags, in: scope, "snapshot.tags")
            guard let list = value.listValue, list.allSatisfy({ $0.stringValue != nil }) else {
                throw EvaluationFailure(Failure(.expression, "snapshot.tags: expected a list of strings"))
            }
            data["tags"] = value
        }
        guard ValueLimits.size(of: .object(data)) <= ValueLimits.updateBytes else {
            throw EvaluationFailure(
                Failure(.limit, "snapshot: comes to more than \(ValueLimits.updateBytes) bytes"))
        }
        return data
    }

    /// Records a bookmark. A name that is taken gets the next free number: no bookmark is ever overwritten.
    ///
    /// - Returns: the bookmark with the name it got.
    @discardableResult
    mutating func takeSnapshot(
        _ snapshot: Object, actor: Actor = .engine, by: String? = nil, step: String? = nil, visit: Int? = nil
    ) throws(EngineError) -> Object {
        var data = snapshot
        let name = snapshot["name"]?.stringValue ?? ""
        var free = name
        var number = 2
        while state.snapshots[free] != nil {
            free = "\(name).\(number)"
            number += 1
        }
        data["name"] = .string(free)
        draft.isMilestone = true
        try emit(.snapshot, actor: actor, by: by, step: step, visit: visit, data)
        return data
    }
}

/// The names a snapshot may have: they become file names.
package enum SnapshotName {
    package static let rule = "must be 1 to 64 letters, digits, '.', '_' or '-', beginning with a letter or digit"

    package static func isValid(_ name: String) -> Bool {
        guard (1...64).contains(name.utf8.count), let first = name.utf8.first, first.isLetterOrDigit else {
            return false
        }
        return name.utf8.allSatisfy {
            $0.isLetterOrDigit || $0 == UInt8(ascii: ".") || $0 == UInt8(ascii: "_") || $0 == UInt8(ascii: "-")
        }
    }
}

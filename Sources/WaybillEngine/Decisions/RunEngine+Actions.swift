import WaybillCore
import WaybillExpressions
import WaybillManifests

// Starting a step: its fields are evaluated, the policies have their say, and the intent is recorded.

/// A step's fields, evaluated: what policies see and what `TASK_START` records.
struct ResolvedAction: Sendable {
    /// The members of `TASK_START`'s data.
    var intent = Object()
    /// The data of the waits that open, each with what its key ends in.
    var waits: [(suffix: String?, data: Object)] = []
    /// For a `set`, `fail` or `finish`: what it comes to.
    var immediate: StepResult?
    var snapshot: Object?
    /// For a `forEach`: its items. They may be too large for the entry.
    var items: Value?
    /// As policies see it: `argv shell env with http`.
    var policyView = Object()
    /// Members of the intent that are not to be read in the ledger: `stdin`, and of `env` what reads something sensitive.
    var sensitive = Object()
    /// The ids of the steps whose sensitive outputs that was made of.
    var sources: Set<String> = []
}

extension RunEngine {
    mutating func start(_ id: InstanceID, _ step: StepDefinition, visit: Int) throws(EngineError) {
        var resolved: ResolvedAction
        do throws(EvaluationFailure) {
            resolved = try resolve(step, id, visit: visit)
        } catch {
            return try settle(id, .failed(error.failure, AttemptReport()), visit: visit)
        }
        resolved.intent["action"] = .string(resolved.intent["action"]?.stringValue ?? step.action.name)
        if let failure = try checkBudgets(before: id, .none) {
            return try settle(id, .overBudget(failure), visit: visit)
        }
        let sealed = resolved.seal(with: &self)
        switch try consultPolicies(before: id, visit: visit, resolved) {
        case .proceed: try begin(id, visit: visit, resolved)
        case .denied(let failure):
            // Nothing names them, so that nobody could erase them.
            draft.blobs.removeAll { sealed.contains($0.digest) }
            try settle(id, .failed(failure, AttemptReport()), visit: visit)
        case .waits: break
        }
    }

    /// Records the intent, and lets it happen.
    mutating func begin(_ id: InstanceID, visit: Int, _ resolved: ResolvedAction) throws(EngineError) {
        let address = state.address(of: id)
        var intent = resolved.intent
        if let failure = try prepareCall(id, visit: visit, &intent) {
            return try settle(id, .failed(failure, AttemptReport()), visit: visit)
        }
        if let key = newItemKey(of: id) { intent["key"] = .string(key) }
        if let items = resolved.items { write(items, as: "items", into: &intent) }
        try emit(.taskStart, step: address, visit: visit, attempt: 1, intent)
        if let attempt = state.attempt(at: id) {
            draft.effects.append(.launch(attempt))
        }
        for wait in resolved.waits {
            draft.isMilestone = true
            var data = wait.data
            let key = WaitKey.of(address, visit: visit, suffix: wait.suffix)
            data["key"] = .string(key)
            try emit(.taskWaiting, step: address, visit: visit, attempt: 1, data)
            if state.waits[key]?.reason == .subworkflow { draft.effects.append(.startRun(waitKey: key)) }
        }
        if let snapshot = resolved.snapshot {
            let taken = try takeSnapshot(snapshot, step: address, visit: visit)
            try settle(id, .completed(output: .object(taken), AttemptReport()))
        } else if let immediate = resolved.immediate {
            try settle(id, immediate)
        } else if state.groupFrame(of: id)?.isDone == true {
            try goOn(id, state.definition(of: id))
        }
    }

    private mutating func resolve(
        _ step: StepDefinition, _ id: InstanceID, visit: Int
    ) throws(EvaluationFailure) -> ResolvedAction {
        let scope = RunScope(self, id, visit: visit)
        var resolved = ResolvedAction()
        switch step.action {
        case .run(let action):
            // What belongs to a capability sees nothing of the workflow.
            let capability = capability(of: id)
            let environment = (capability == nil ? definition.workflow.environment : []) + step.environment
            if let capability { resolved.intent["source"] = .string(capability.sourcePath) }
            try resolve(action, of: step, environment, in: scope, into: &resolved)
        case .http(let action): try resolve(action, of: step, id, visit: visit, in: scope, into: &resolved)
        case .uses(let use): try resolve(use, of: step, id, visit: visit, in: scope, into: &resolved)
        case .ask(let action):
            resolved.waits = [(nil, try resolve(action, timeout: step.timeout, in: scope))]
        case .wait(let action):
            resolved.waits = [(nil, try resolve(action, id, timeout: step.timeout, in: scope))]
        case .first(let branches): try resolve(branches, id, in: scope, into: &resolved)
        case .emit(let action): try resolve(action, id, visit: visit, in: scope, into: &resolved)
        case .call(let action): try resolve(action, id, visit: visit, in: scope, into: &resolved)
        case .steps: break
        case .forEach(let loop): try resolve(loop, in: scope, into: &resolved)
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
        }
        serve(id, in: &resolved)
        let size = resolved.waits.reduce(ValueLimits.size(of: .object(resolved.intent))) {
            $0 + ValueLimits.size(of: .object($1.data))
        }
        guard step.isLoop || size <= ValueLimits.intentBytes else {
            throw EvaluationFailure(
                Failure(.limit, "the fields of \(step.id) come to more than \(ValueLimits.intentBytes) bytes"))
        }
        return resolved
    }

    private func resolve(
        _ branches: [FirstBranch], _ id: InstanceID, in scope: RunScope, into resolved: inout ResolvedAction
    ) throws(EvaluationFailure) {
        for branch in branches {
            var data: Object
            switch branch.kind {
            case .ask(let action): data = try resolve(action, timeout: branch.timeout, in: scope)
            case .wait(let action): data = try resolve(action, id, timeout: nil, in: scope)
            }
            data["branch"] = .string(branch.name)
            resolved.waits.append((branch.name, data))
        }
    }

    // MARK: - Fields

    func evaluate(_ template: Template, in scope: RunScope, _ field: String) throws(EvaluationFailure) -> Value {
        try evaluateOptional(template, in: scope, field) ?? .null
    }

    /// The same; nil where it is `optional.none()`.
    func evaluateOptional(
        _ template: Template, in scope: RunScope, _ field: String
    ) throws(EvaluationFailure) -> Value? {
        let value: Value?
        do throws(ExpressionError) {
            value = try template.value(in: scope)
        } catch {
            throw EvaluationFailure(failure(error, in: field, reading: template.references))
        }
        guard let value else { return nil }
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
    func evaluateOptionalText(
        _ template: Template, in scope: RunScope, _ field: String
    ) throws(EvaluationFailure) -> String? {
        do throws(ExpressionError) {
            return try template.text(in: scope)
        } catch {
            throw EvaluationFailure(failure(error, in: field, reading: template.references))
        }
    }

    func resolve(
        _ action: RunAction, of step: StepDefinition, _ bindings: [NamedTemplate], in scope: RunScope,
        into resolved: inout ResolvedAction
    ) throws(EvaluationFailure) {
        var environment = Object()
        var hidden = Object()
        for (name, value) in definition.settings.environment { environment[name] = .string(value) }
        for binding in bindings {
            let value = try evaluateOptionalText(binding.template, in: scope, "env.\(binding.name)")
                .map(Value.string)
            let isHidden = readsSensitive(binding.template.references)
            environment[binding.name] = isHidden ? nil : value
            hidden[binding.name] = isHidden ? value : nil
            if isHidden { resolved.sources.formUnion(sensitiveSources(of: binding.template.references)) }
        }
        if !hidden.isEmpty { resolved.sensitive["sealedEnv"] = .object(hidden) }
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
        resolved.intent["action"] = "run"
        resolved.policyView["argv"] = policyArguments(of: action, resolved: resolved.intent["argv"] ?? .list([]))
        resolved.policyView["env"] = .object(environment)
        if !environment.isEmpty { resolved.intent["env"] = .object(environment) }
        if !step.secrets.isEmpty {
            resolved.intent["secrets"] = .object(Object(step.secrets.map { ($0.variable, SecretUse.value(of: $0)) }))
        }
        resolved.policyView["secrets"] = .list(SecretUse.names(in: resolved.intent).map(Value.string))
        switch action.workingDirectory {
        case .tree: break
        case .scratch: resolved.intent["scratch"] = true
        case .path(let template): resolved.intent["cwd"] = .string(try evaluateText(template, in: scope, "run.cwd"))
        }
        if let input = action.standardInput {
            let value = try evaluate(input, in: scope, "run.stdin")
            let text = Value.string(value.stringValue ?? String(decoding: JSON.compact(value), as: UTF8.self))
            if readsSensitive(input.references) {
                resolved.sensitive["stdin"] = text
                resolved.sources.formUnion(sensitiveSources(of: input.references))
            } else {
                resolved.intent["stdin"] = text
            }
        }
        if let timeout = step.timeout { resolved.intent["timeout"] = .string(timeout.text) }
        if !step.limits.isEmpty { resolved.intent["limits"] = step.limits.record }
        if let pool = step.pool { resolved.intent["pool"] = .string(pool) }
        resolved.intent["boot"] = .string(draft.moment.boot)
        resolved.intent["undoes"] = state.undoes.map(Value.string)
    }

    /// A script is `["/bin/sh","-c",...]` to policies, whatever else it is run with.
    private func policyArguments(of action: RunAction, resolved argv: Value) -> Value {
        guard case .script(let text, let shell) = action.command else { return argv }
        return [.string(shell), "-c", .string(text)]
    }

    private func resolve(
        _ action: AskAction, timeout: Duration?, in scope: RunScope
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
        data["from"] = action.from?.value
        if let timeout { data["until"] = .string((draft.moment.now + timeout).description) }
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

    private func resolve(
        _ action: WaitAction, _ id: InstanceID, timeout: Duration?, in scope: RunScope
    ) throws(EvaluationFailure) -> Object {
        let until: Timestamp
        switch action {
        case .duration(let template):
            until = draft.moment.now + (try evaluateDuration(template, in: scope, "wait.for"))
        case .until(let template):
            let text = try evaluateText(template, in: scope, "wait.until")
            guard let time = Timestamp(rfc3339: text) else {
                throw EvaluationFailure(
                    Failure(.expression, "wait.until: '\(text)' is no time such as 2026-11-20T10:15:00Z"))
            }
            until = time
        case .next(let cron): until = try nextTime(of: cron)
        case .event(let wait): return try resolve(wait, id, timeout: timeout, in: scope)
        case .job(let job): return try resolve(job, timeout: timeout, in: scope)
        }
        return ["reason": .string(WaitReason.until.rawValue), "until": .string(until.description)]
    }

    func evaluateDuration(
        _ template: Template, in scope: RunScope, _ field: String
    ) throws(EvaluationFailure) -> Duration {
        let text = try evaluateText(template, in: scope, field)
        guard let duration = Duration(text: text) else {
            throw EvaluationFailure(Failure(.expression, "\(field): '\(text)' is no duration such as 90s or 1h30m"))
        }
        return duration
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

import WaybillCore
import WaybillExpressions
import WaybillManifests

// One step: may it start, does it, and what its end means.

/// How a visit of a step ends.
enum StepResult: Sendable {
    /// With the output, if the step has one, and what an attempt reported.
    case completed(output: Value?, AttemptReport)
    case failed(Failure, AttemptReport)
    /// A visit after the one that was one too many. Nothing passes over it, or a machine could go round for ever.
    case exhausted(Failure)
    /// A budget is used up: the run fails, whatever is around the step.
    case overBudget(Failure)
    case skipped(String)
    case cancelled(Failure)
}

/// What an attempt reported beside its output.
struct AttemptReport: Sendable {
    var exitCode: Int?
    var artifacts: [ArtifactRecord] = []
    var activeMicroseconds: Int64 = 0
    /// When the other side asked to be tried again (`Retry-After`).
    var retryAt: Timestamp?
    /// Members of `TASK_END`'s data that only some actions have.
    var extra = Object()
}

extension RunEngine {
    /// Decides upon a step whose needs are settled, a state that is to be visited, or something that goes on.
    mutating func decide(_ id: InstanceID) throws(EngineError) {
        if state[id].rejection != nil { return try endRejection(of: id) }
        let step = state.definition(of: id)
        // A loop that goes on must not be held on to, so that nothing of it is copied when it does.
        if state[id].status == .running { return try goOn(id, step) }
        let current = state[id]
        if current.status == .unknown { return try endCheck(id) }
        if let intent = current.intent { return try startAgain(id, intent) }
        let visit = current.visit + 1
        if let unmet = unmetNeed(of: step, in: id.frame) { return try settle(id, .skipped(unmet), visit: visit) }
        // Elsewhere in a graph it is what is around the step that is repeated.
        let isLimited = step.repetition != nil || state.plan(of: id.frame).shape != .graph
        if isLimited, visit - current.visitsBefore > step.maxVisits {
            let failure = Failure(.limit, "\(step.id) was visited \(step.maxVisits) times, which is its maxVisits")
            // It may be passed over once: a machine that comes here again would go round for ever.
            let isFirst = visit - current.visitsBefore == step.maxVisits + 1
            return try settle(
                id, isFirst ? .failed(failure, AttemptReport()) : .exhausted(failure), visit: visit)
        }
        // The end of a visit has asked `while` whether there is another one, and `if` asks whether there is any.
        let isRepeated = step.repetition != nil && current.endedAt != nil
        for (field, condition) in [("if", step.condition), ("while", step.repetition)] {
            guard let condition, !isRepeated else { continue }
            switch examine(condition, as: field, in: RunScope(self, id, visit: visit)) {
            case .failure(let error): return try settle(id, .failed(error.failure, AttemptReport()), visit: visit)
            case .success(let guarding):
                try emit(.guardEval, step: state.address(of: id), visit: visit, guarding.data)
                if !guarding.holds { return try settle(id, .skipped(field), visit: visit) }
            }
        }
        try start(id, step, visit: visit)
    }

    struct Guarding {
        var holds: Bool
        var data: Object
    }

    func examine(_ condition: Expression, as field: String, in scope: RunScope) -> Result<Guarding, EvaluationFailure> {
        do throws(ExpressionError) {
            let holds = try condition.condition(in: scope)
            var data: Object = [
                "expression": .string(condition.source), "result": .bool(holds),
                "values": seen(by: condition, in: scope),
            ]
            if field != "if" { data["field"] = .string(field) }
            return .success(Guarding(holds: holds, data: data))
        } catch {
            return .failure(EvaluationFailure(failure(error, in: field, reading: condition.references)))
        }
    }

    /// The need that did not come true, in words; nil if all did.
    private func unmetNeed(of step: StepDefinition, in frame: Int) -> String? {
        for need in step.needs {
            let dependency = state[InstanceID(frame: frame, step: need.step)]
            let isMet =
                switch need.when {
                case .completed:
                    dependency.status == .completed || dependency.status == .skipped
                        || (dependency.status == .failed && dependency.isFailureHandled && !need.isExact)
                case .failed: dependency.status == .failed
                case .ended: dependency.status.isSettled
                }
            if !isMet {
                let id = state.plan(of: frame).steps[need.step].id
                return "needs \(id) to have \(need.when.rawValue), and it is \(dependency.status.rawValue)"
            }
        }
        return nil
    }

    /// What an expression saw, cut to a size fit for a ledger.
    func seen(by expression: Expression, in scope: RunScope) -> Value {
        var values: [(String, Value)] = []
        for reference in expression.references.prefix(16) {
            let path = reference.path
            guard !isSensitive(path) else {
                values.append((path.joined(separator: "."), .string(Self.hidden)))
                continue
            }
            guard let value = scope.value(at: path) else { continue }
            let isLong = !ValueLimits.fits(value, in: 1_024)
            values.append((path.joined(separator: "."), isLong ? .string("(more than 1 KiB)") : value))
        }
        return .object(Object(values))
    }

    // MARK: - Settling

    /// Ends a visit: checks the result, tries again or catches where a rule says so, records it, and in a machine
    /// chooses what follows.
    mutating func settle(_ id: InstanceID, _ result: StepResult, visit: Int? = nil) throws(EngineError) {
        let visit = visit ?? state[id].visit
        var outcome = Outcome(result)
        if outcome.status == .completed { try accept(&outcome, of: id, visit: visit) }
        if try undoRejected(outcome, of: id, visit: visit) { return }
        try conclude(outcome, of: id, visit: visit)
    }

    /// Tries again or catches where a rule says so, and else records the end of a visit.
    mutating func conclude(_ outcome: Outcome, of id: InstanceID, visit: Int) throws(EngineError) {
        let step = state.definition(of: id)
        var outcome = outcome
        if outcome.status == .failed, !outcome.isFinal {
            if try tryAgain(id, &outcome) { return }
            catchFailure(&outcome, of: id, visit: visit)
        }
        let isMachine = state.plan(of: id.frame).shape != .graph
        var transition: ChosenTransition?
        if isMachine { transition = chooseTransition(&outcome, of: id, step, visit: visit) }
        let wasCompleted = outcome.status == .completed
        let isRepeated = isMachine ? false : try repeats(&outcome, of: id, visit: visit)
        if wasCompleted, outcome.status == .failed { catchFailure(&outcome, of: id, visit: visit) }
        try recordEnd(outcome, of: id, step, visit: visit, isRepeated: isRepeated)
        guard let transition, state.ending == nil else { return }
        var data: Object = ["to": .string(transition.to.map { state.plan(of: id.frame).steps[$0].id } ?? "end")]
        if let expression = transition.expression {
            data["expression"] = .string(expression)
            data["values"] = transition.values
        }
        try emit(.branchTaken, step: step.id, visit: visit, data)
    }

    /// Whether a `while` wants another visit of a step that completed.
    private mutating func repeats(_ outcome: inout Outcome, of id: InstanceID, visit: Int) throws(EngineError) -> Bool {
        let step = state.definition(of: id)
        guard outcome.status == .completed, let condition = step.repetition, !isHalted(id) else { return false }
        let scope = RunScope(self, id, visit: visit + 1, result: outcome, previewsResult: true)
        switch examine(condition, as: "while", in: scope) {
        case .failure(let error):
            outcome.reject(error.failure)
            return false
        case .success(let guarding):
            try emit(.guardEval, step: state.address(of: id), visit: visit + 1, guarding.data)
            guard guarding.holds else { return false }
            guard visit - state[id].visitsBefore < step.maxVisits else {
                let message = "\(step.id) was visited \(step.maxVisits) times, which is its maxVisits"
                outcome.reject(Failure(.limit, message))
                return false
            }
            return true
        }
    }

    func isHalted(_ id: InstanceID) -> Bool {
        (id.frame == Frame.root ? state.frames.root?.isHalted : state.frames[id.frame]?.isHalted) ?? true
    }

    private mutating func recordEnd(
        _ outcome: Outcome, of id: InstanceID, _ step: StepDefinition, visit: Int, isRepeated: Bool
    ) throws(EngineError) {
        // A visit that never began has no attempt: it was skipped, denied or could not be resolved.
        let attempt = state[id].visit == visit ? attemptNumber(of: id) : nil
        let hasBegun = attempt != nil
        var data: Object = ["status": .string(outcome.status.rawValue)]
        for (name, value) in outcome.report.extra { data[name] = value }
        if let reason = outcome.reason { data["reason"] = .string(reason) }
        // A loop's output is that of its items, unless a `catch` put another one in its place.
        if let output = outcome.output, !step.isLoop || outcome.caught != nil {
            record(output, of: step, as: "output", into: &data)
        }
        if let code = outcome.report.exitCode { data["exitCode"] = .int(Int64(code)) }
        if !outcome.report.artifacts.isEmpty { data["artifacts"] = .list(outcome.report.artifacts.map(\.value)) }
        if outcome.report.activeMicroseconds > 0 {
            data["activeMicroseconds"] = .int(outcome.report.activeMicroseconds)
        }
        if let failure = outcome.failure {
            data["error"] = named(failure, id).value
            if outcome.status == .failed, !outcome.isFinal, isHandled(id) { data["handled"] = true }
        }
        if let caught = outcome.caught { data["caught"] = named(caught, id).value }
        if !outcome.updates.isEmpty { data["update"] = .object(outcome.updates) }
        if !outcome.usage.isEmpty { data["usage"] = .object(outcome.usage) }
        if outcome.status == .completed, case .finish = step.action {
            data["finish"] = true
            if let outputs = outcome.finishOutputs { write(outputs, as: "finishOutputs", into: &data) }
        }
        if isRepeated { data["again"] = true }
        if outcome.endsRun { data["final"] = true }
        data["undo"] = nil
        if canBeUndone(outcome, id, hasBegun: hasBegun) {
            data["undo"] = true
            if let output = outcome.rejectedOutput { record(output, of: step, as: "rejected", into: &data) }
            if let item = RunScope(self, id, visit: visit).itemValue { write(item, as: "item", into: &data) }
        }
        if step.isPivot, outcome.status == .completed, state.isUndoable(in: id.frame) { data["pivot"] = true }
        if let key = newItemKey(of: id) { data["key"] = .string(key) }
        try emit(
            .taskEnd, step: state.address(of: id), visit: visit, attempt: attempt, data)
    }

    mutating func record(_ output: Value, of step: StepDefinition, as name: String, into data: inout Object) {
        if step.isSensitive { return writeSealed(output, as: name, into: &data) }
        write(output, as: name, into: &data)
    }

    /// A failure with the step it is of: the innermost one that failed.
    private func named(_ failure: Failure, _ id: InstanceID) -> Failure {
        var failure = failure
        failure.step = failure.step ?? state.address(of: id)
        failure.message = ValueLimits.shortened(failure.message)
        return failure
    }

    /// Whether the workflow passes over a failure of this step, or another step handles it.
    func isHandled(_ id: InstanceID) -> Bool {
        let plan = state.plan(of: id.frame)
        if plan.steps[id.step].continueOnError { return true }
        guard plan.shape == .graph else { return false }
        return plan.dependants[id.step].contains { dependant in
            plan.steps[dependant].needs.contains { $0.step == id.step && $0.when != .completed }
        }
    }

    /// Puts a completed result to the step's own tests and to the policies; a result that fails them is rejected.
    private mutating func accept(_ outcome: inout Outcome, of id: InstanceID, visit: Int) throws(EngineError) {
        let step = state.definition(of: id)
        if step.testsResults {
            try test(&outcome, of: id, step, visit: visit)
            try flushVerifications()
        }
        if outcome.status == .completed, let denial = try consultPolicies(after: id, visit: visit, outcome) {
            outcome.reject(denial)
        }
    }

    /// The step's own tests of a result, and what it makes of it.
    private mutating func test(
        _ outcome: inout Outcome, of id: InstanceID, _ step: StepDefinition, visit: Int
    ) throws(EngineError) {
        do throws(EvaluationFailure) {
            // The scope holds the plans: it must be gone before the next entry changes them.
            let scope = RunScope(self, id, visit: visit, result: outcome)
            for (number, condition) in step.verifications.enumerated() {
                try verify(
                    condition, in: scope, name: "verify[\(number)]", step: state.address(of: id), visit: visit)
            }
            try verifyCapability(outcome, of: id, visit: visit)
            outcome.updates = try evaluateUpdates(of: step, in: scope)
            outcome.usage = try evaluateUsage(step.usage, in: scope)
            if case .finish(let outputs?) = step.action {
                outcome.finishOutputs = try evaluateMap(outputs, in: scope, "finish.outputs")
            }
        } catch {
            outcome.reject(error.failure)
        }
    }

    /// What a visit changes of `vars`.
    func evaluateUpdates(of step: StepDefinition, in scope: RunScope) throws(EvaluationFailure) -> Object {
        var updates = Object()
        for update in step.updates {
            updates[update.name] = try evaluate(update.template, in: scope, "update.\(update.name)")
        }
        guard ValueLimits.size(of: .object(updates)) <= ValueLimits.updateBytes else {
            let message = "update: comes to more than \(ValueLimits.updateBytes) bytes; keep large data in files"
            throw EvaluationFailure(Failure(.limit, message))
        }
        return updates
    }

    private func evaluateUsage(_ usage: UsageDefinition?, in scope: RunScope) throws(EvaluationFailure) -> Object {
        var used = Object()
        for (name, template) in [("tokens", usage?.tokens), ("cost", usage?.cost)] {
            guard let template else { continue }
            let value = try evaluate(template, in: scope, "usage.\(name)")
            guard let number = name == "tokens" ? value.intValue.map(Double.init) : value.numberValue, number >= 0
            else {
                let message = "usage.\(name): expected a number that is not negative, got \(value.kindName)"
                throw EvaluationFailure(Failure(.expression, message))
            }
            used[name] = name == "tokens" ? value : .double(number)
        }
        return used
    }

    // MARK: - Machines

    private struct ChosenTransition {
        /// Nil: the machine's end.
        var to: Int?
        var expression: String?
        var values: Value = .null
    }

    private func chooseTransition(
        _ outcome: inout Outcome, of id: InstanceID, _ step: StepDefinition, visit: Int
    ) -> ChosenTransition? {
        if let caught = outcome.caughtTo { return ChosenTransition(to: caught.index) }
        switch outcome.status {
        case .cancelled: return nil
        case .failed where outcome.isFinal || !step.continueOnError: return nil
        default: break
        }
        if case .finish = step.action, outcome.status == .completed { return nil }
        if let only = step.next.first, only.condition == nil { return ChosenTransition(to: only.to) }
        let scope = RunScope(self, id, visit: visit, result: outcome)
        for transition in step.next {
            guard let condition = transition.condition else { return ChosenTransition(to: transition.to) }
            do {
                guard try condition.condition(in: scope) else { continue }
                return ChosenTransition(
                    to: transition.to, expression: condition.source, values: seen(by: condition, in: scope))
            } catch {
                outcome.reject(failure(error, in: "next", reading: condition.references), isFinal: true)
                return nil
            }
        }
        outcome.reject(Failure(.expression, "no `next` of \(step.id) matches"), isFinal: true)
        return nil
    }
}

extension StepDefinition {
    /// Whether a result is put to tests of the step or its capability, or read to change something.
    fileprivate var testsResults: Bool {
        if !verifications.isEmpty || !updates.isEmpty || usage != nil { return true }
        switch action {
        case .uses, .finish: return true
        default: return false
        }
    }
}

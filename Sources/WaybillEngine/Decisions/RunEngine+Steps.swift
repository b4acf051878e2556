import WaybillCore
import WaybillExpressions
import WaybillManifests

// One step: may it start, does it, and what its end means.

/// How a visit of a step ends.
enum StepResult: Sendable {
    /// With the output, if the step has one, and what an attempt reported.
    case completed(output: Value?, AttemptReport)
    case failed(Failure, AttemptReport)
    /// The visit that is one too many. Nothing passes over it, or a machine could go round for ever.
    case exhausted(Failure)
    case skipped(String)
    case cancelled(Failure)
}

/// What an attempt reported beside its output.
struct AttemptReport: Sendable {
    var exitCode: Int?
    var artifacts: [ArtifactRecord] = []
    var activeMicroseconds: Int64 = 0
}

extension RunEngine {
    /// Decides upon a step whose needs are settled, or a state that is to be visited.
    mutating func decide(_ index: Int) throws(EngineError) {
        if let intent = state.steps[index].intent { return try startAgain(index, intent) }
        let step = definition.workflow.plan.steps[index]
        let visit = state.steps[index].visit + 1
        if let unmet = unmetNeed(of: step) { return try settle(index, .skipped(unmet), visit: visit) }
        if visit > step.maxVisits {
            let failure = Failure(.limit, "\(step.id) was visited \(step.maxVisits) times, which is its maxVisits")
            return try settle(index, .exhausted(failure), visit: visit)
        }
        if let condition = step.condition {
            switch examine(condition, of: index, visit: visit) {
            case .failure(let error): return try settle(index, .failed(error.failure, AttemptReport()), visit: visit)
            case .success(let guarding):
                try emit(.guardEval, step: step.id, visit: visit, guarding.data)
                if !guarding.holds { return try settle(index, .skipped("if"), visit: visit) }
            }
        }
        try start(index, visit: visit)
    }

    private struct Guarding {
        var holds: Bool
        var data: Object
    }

    private func examine(
        _ condition: Expression, of index: Int, visit: Int
    ) -> Result<Guarding, EvaluationFailure> {
        let scope = RunScope(self, step: index, visit: visit)
        do throws(ExpressionError) {
            let holds = try condition.condition(in: scope)
            let data: Object = [
                "expression": .string(condition.source), "result": .bool(holds),
                "values": seen(by: condition, in: scope),
            ]
            return .success(Guarding(holds: holds, data: data))
        } catch {
            return .failure(EvaluationFailure(Failure(error, in: "if")))
        }
    }

    /// The need that did not come true, in words; nil if all did.
    private func unmetNeed(of step: StepDefinition) -> String? {
        for need in step.needs {
            let dependency = state.steps[need.step]
            let isMet =
                switch need.when {
                case .completed:
                    dependency.status == .completed || dependency.status == .skipped
                        || (dependency.status == .failed && dependency.isFailureHandled)
                case .failed: dependency.status == .failed
                case .ended: dependency.status.isSettled
                }
            if !isMet {
                let id = definition.workflow.plan.steps[need.step].id
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
            guard let value = scope.value(at: path) else { continue }
            let isLong = JSON.compact(value).count > 1_024
            values.append((path.joined(separator: "."), isLong ? .string("(more than 1 KiB)") : value))
        }
        return .object(Object(values))
    }

    // MARK: - Settling

    /// Ends a visit: checks the result, records it, and in a machine chooses what follows.
    mutating func settle(_ index: Int, _ result: StepResult, visit: Int? = nil) throws(EngineError) {
        let step = definition.workflow.plan.steps[index]
        let visit = visit ?? state.steps[index].visit
        var outcome = Outcome(result)
        if outcome.status == .completed { accept(&outcome, of: index, visit: visit) }
        try flushVerifications()
        var transition: ChosenTransition?
        if definition.workflow.plan.shape != .graph {
            transition = chooseTransition(&outcome, of: index, visit: visit)
        }
        try recordEnd(outcome, of: index, visit: visit)
        guard let transition, state.ending == nil else { return }
        var data: Object = ["to": .string(transition.to.map { definition.workflow.plan.steps[$0].id } ?? "end")]
        if let expression = transition.expression {
            data["expression"] = .string(expression)
            data["values"] = transition.values
        }
        try emit(.branchTaken, step: step.id, visit: visit, data)
    }

    private mutating func recordEnd(_ outcome: Outcome, of index: Int, visit: Int) throws(EngineError) {
        let step = definition.workflow.plan.steps[index]
        // A visit that never began has no attempt: it was skipped, denied or could not be resolved.
        let hasBegun = state.steps[index].visit == visit && state.steps[index].attempt > 0
        var data: Object = ["status": .string(outcome.status.rawValue)]
        if let reason = outcome.reason { data["reason"] = .string(reason) }
        if let output = outcome.output { write(output, as: "output", into: &data) }
        if let code = outcome.report.exitCode { data["exitCode"] = .int(Int64(code)) }
        if !outcome.report.artifacts.isEmpty { data["artifacts"] = .list(outcome.report.artifacts.map(\.value)) }
        if outcome.report.activeMicroseconds > 0 {
            data["activeMicroseconds"] = .int(outcome.report.activeMicroseconds)
        }
        if let failure = outcome.failure {
            var failure = failure
            failure.step = step.id
            failure.message = ValueLimits.shortened(failure.message)
            data["error"] = failure.value
            if outcome.status == .failed, !outcome.isFinal, isHandled(index) { data["handled"] = true }
        }
        if !outcome.updates.isEmpty { data["update"] = .object(outcome.updates) }
        if outcome.status == .completed, case .finish = step.action {
            data["finish"] = true
            if let outputs = outcome.finishOutputs { write(outputs, as: "finishOutputs", into: &data) }
        }
        try emit(
            .taskEnd, step: step.id, visit: visit, attempt: hasBegun ? state.steps[index].attempt : nil, data)
    }

    /// Whether the workflow passes over a failure of this step, or another step handles it.
    private func isHandled(_ index: Int) -> Bool {
        let plan = definition.workflow.plan
        if plan.steps[index].continueOnError { return true }
        guard plan.shape == .graph else { return false }
        return plan.dependants[index].contains { dependant in
            plan.steps[dependant].needs.contains { $0.step == index && $0.when != .completed }
        }
    }

    /// Puts a completed result to the step's own tests; a result that fails them is rejected.
    private mutating func accept(_ outcome: inout Outcome, of index: Int, visit: Int) {
        let step = definition.workflow.plan.steps[index]
        let scope = RunScope(self, step: index, visit: visit, result: outcome)
        do throws(EvaluationFailure) {
            for (number, condition) in step.verifications.enumerated() {
                try verify(condition, in: scope, name: "verify[\(number)]", step: step.id, visit: visit)
            }
            for update in step.updates {
                outcome.updates[update.name] = try evaluate(update.template, in: scope, "update.\(update.name)")
            }
            guard ValueLimits.size(of: .object(outcome.updates)) <= ValueLimits.updateBytes else {
                let message = "update: comes to more than \(ValueLimits.updateBytes) bytes; keep large data in files"
                throw EvaluationFailure(Failure(.limit, message))
            }
            if case .finish(let outputs?) = step.action {
                outcome.finishOutputs = try evaluateMap(outputs, in: scope, "finish.outputs")
            }
        } catch {
            outcome.reject(error.failure)
        }
    }

    // MARK: - Machines

    private struct ChosenTransition {
        /// Nil: the machine's end.
        var to: Int?
        var expression: String?
        var values: Value = .null
    }

    private func chooseTransition(_ outcome: inout Outcome, of index: Int, visit: Int) -> ChosenTransition? {
        let step = definition.workflow.plan.steps[index]
        switch outcome.status {
        case .cancelled: return nil
        case .failed where outcome.isFinal || !step.continueOnError: return nil
        default: break
        }
        if case .finish = step.action, outcome.status == .completed { return nil }
        let scope = RunScope(self, step: index, visit: visit, result: outcome)
        for transition in step.next {
            guard let condition = transition.condition else { return ChosenTransition(to: transition.to) }
            do {
                guard try condition.condition(in: scope) else { continue }
                return ChosenTransition(
                    to: transition.to, expression: condition.source, values: seen(by: condition, in: scope))
            } catch {
                outcome.reject(Failure(error, in: "next"), isFinal: true)
                return nil
            }
        }
        outcome.reject(Failure(.expression, "no `next` of \(step.id) matches"), isFinal: true)
        return nil
    }
}

/// A step's result on its way to `TASK_END`.
struct Outcome: Sendable {
    var status: StepStatus
    var output: Value?
    var report = AttemptReport()
    var failure: Failure?
    var reason: String?
    var updates = Object()
    var finishOutputs: Value?
    /// A failure that `continueOnError` does not pass over, because there is nowhere to go on to.
    var isFinal = false

    init(_ result: StepResult) {
        switch result {
        case .completed(let output, let report):
            status = .completed
            self.output = output
            self.report = report
        case .failed(let failure, let report):
            status = .failed
            self.failure = failure
            self.report = report
        case .exhausted(let failure):
            status = .failed
            self.failure = failure
            isFinal = true
        case .skipped(let reason):
            status = .skipped
            self.reason = reason
        case .cancelled(let failure):
            status = .cancelled
            self.failure = failure
        }
    }

    /// Turns a result that did not pass into a failure; what the attempt reported stays.
    mutating func reject(_ failure: Failure, isFinal: Bool = false) {
        status = .failed
        self.isFinal = isFinal
        output = nil
        updates = Object()
        finishOutputs = nil
        self.failure = failure
    }
}

import WaybillCore
import WaybillExpressions
import WaybillManifests

// Sub-runs. The id is derived and recorded before the folder exists, so starting one twice starts it once; while the
// wait for it is open, whoever drives the run makes sure that it is there.

extension RunEngine {
    func resolve(
        _ action: CallAction, _ id: InstanceID, visit: Int, in scope: RunScope, into resolved: inout ResolvedAction
    ) throws(EvaluationFailure) {
        if resolveUndo(id, action, into: &resolved) { return }
        guard state.depth < Self.deepestCall else {
            let message = "calls are nested deeper than \(Self.deepestCall)"
            throw EvaluationFailure(Failure(.limit, message))
        }
        guard let workflow = definition.workflows[action.workflow] else {
            throw EvaluationFailure(
                Failure(.executor, "the workflow \(action.workflow) was not frozen with this run"))
        }
        var given = Object()
        for input in action.inputs { given[input.name] = try evaluate(input.template, in: scope, "with.\(input.name)") }
        do throws(GivenInputs.Problems) {
            resolved.intent["with"] = .object(
                try GivenInputs.check(given, against: workflow.inputs, of: workflow.name))
        } catch {
            throw EvaluationFailure(Failure(.expression, "with: " + error.messages.joined(separator: "; ")))
        }
        var run = childID(action.workflow, id, visit: visit, attempt: 1)
        if let template = action.id {
            let text = try evaluateText(template, in: scope, "call.id")
            guard RunID.isValid(text) else {
                throw EvaluationFailure(Failure(.expression, "call.id: '\(text)' is no run id"))
            }
            run = text
        }
        resolved.intent["workflow"] = .string(action.workflow)
        resolved.intent["run"] = .string(run)
        resolved.policyView["with"] = resolved.intent["with"]
        resolved.waits = [(nil, callWait(run, action.detach))]
    }

    /// How deep runs may call runs: a circle that nothing ends must end.
    static var deepestCall: Int { 64 }

    /// A sub-run undoes itself: as a run that begins with its past, and adds its own compensations.
    private func resolveUndo(_ id: InstanceID, _ action: CallAction, into resolved: inout ResolvedAction) -> Bool {
        guard let record = state.compensation(of: id.frame), let child = record.run,
            state.definition(of: record.instance).effectiveCompensation == nil
        else { return false }
        let run = RunID.undo(of: child)
        resolved.intent = ["workflow": .string(action.workflow), "run": .string(run), "undoes": .string(child)]
        resolved.waits = [
            (
                nil,
                [
                    "reason": .string(WaitReason.subworkflow.rawValue), "run": .string(run),
                    "details": ["undoes": .string(child)],
                ]
            )
        ]
        return true
    }

    private func callWait(_ run: String, _ isDetached: Bool) -> Object {
        [
            "reason": .string(WaitReason.subworkflow.rawValue), "run": .string(run),
            "details": ["detach": .bool(isDetached)],
        ]
    }

    private func childID(_ workflow: String, _ id: InstanceID, visit: Int, attempt: Int) -> String {
        let random = chance(of: id, visit: visit, attempt: attempt)
        return RunID.make(workflow: workflow, at: draft.moment.now, random: random).text
    }

    /// A number that is as good as random and always the same for one attempt: what has to be spread (ids of sub-runs, the
    /// jitter of back-offs) needs no dice, and is decided again as it was.
    func chance(of id: InstanceID, visit: Int, attempt: Int) -> UInt64 {
        let digest = Digest.sha256("\(state.id)/\(state.address(of: id))/\(visit)/\(attempt)")
        return UInt64(digest.hex.prefix(16), radix: 16) ?? 0
    }

    /// Tries a call again: as a sub-run of its own.
    mutating func callAgain(_ id: InstanceID, _ intent: Object) throws(EngineError) {
        guard case .call(let action) = state.definition(of: id).action else { return }
        let step = state[id]
        let address = state.address(of: id)
        var intent = intent
        let run = childID(action.workflow, id, visit: step.visit, attempt: step.attempt + 1)
        intent["run"] = .string(run)
        if let failure = try prepareCall(id, visit: step.visit, &intent) {
            return try settle(id, .failed(failure, AttemptReport()))
        }
        try emit(.taskStart, step: address, visit: step.visit, attempt: step.attempt + 1, intent)
        draft.isMilestone = true
        var wait = callWait(run, action.detach)
        let key = WaitKey.of(address, visit: step.visit)
        wait["key"] = .string(key)
        try emit(.taskWaiting, step: address, visit: step.visit, attempt: step.attempt + 1, wait)
        draft.effects.append(.startRun(waitKey: key))
    }

    /// Puts the sub-run that a call is about to start to the rules at `run.admit`, and cuts its grant: at the last moment,
    /// as what is left changes while a call waits for an approval or a retry.
    ///
    /// - Returns: why the call may not begin; nil if it may. A sub-run that is let in records that itself.
    mutating func prepareCall(_ id: InstanceID, visit: Int, _ intent: inout Object) throws(EngineError) -> Failure? {
        guard intent["action"]?.stringValue == "call", case .call(let action) = state.action(of: id),
            intent["undoes"] == nil,
            let workflow = definition.workflows[action.workflow]
        else { return nil }
        let subject = AdmissionSubject(
            run: intent["run"]?.stringValue ?? "", workflow: workflow, inputs: intent["with"]?.objectValue ?? Object(),
            startedBy: state.id, startedAt: draft.moment.now)
        let verdicts = admission(of: subject, bindingPolicies(ofCalled: workflow))
        if let refusal = verdicts.refusal {
            for verdict in verdicts { try record(verdict, .policyPre, step: state.address(of: id), visit: visit) }
            return Failure(.policy, refusal)
        }
        let grant = grant(for: id, calling: workflow, isDetached: action.detach)
        intent["grant"] = grant.isEmpty ? Optional.none : Value.object(grant)
        return nil
    }

    private func callWait(_ key: String) throws(EngineError) -> (wait: WaitState, id: InstanceID) {
        guard let wait = state.waits[key], wait.reason == .subworkflow, let id = state.instance(at: wait.step) else {
            throw EngineError(.unexpectedStimulus, "the run does not wait for a sub-run with the key '\(key)'")
        }
        return (wait, id)
    }

    /// A call that does not wait for its sub-run is done once that is there.
    mutating func noteChildStarted(_ key: String) throws(EngineError) {
        let (wait, id) = try callWait(key)
        guard wait.details?["detach"] == true else { return }
        try resume(wait, id, by: "parent", with: ["run": .string(wait.run ?? "")])
    }

    mutating func endChild(_ key: String, _ end: ChildEnd) throws(EngineError) {
        let (wait, id) = try callWait(key)
        guard wait.run == end.run else {
            throw EngineError(.unexpectedStimulus, "\(key) waits for the run \(wait.run ?? ""), not for \(end.run)")
        }
        try emit(
            .taskResumed, step: wait.step, visit: wait.visit, attempt: attemptNumber(of: id),
            ["key": .string(key), "by": "subworkflow"])
        var report = AttemptReport()
        if end.isRefused {
            let failure = end.error ?? Failure(.failed, "it was refused")
            return try settle(id, .failed(failure, report))
        }
        report.extra["run"] = .string(end.run)
        report.extra["head"] = .string(end.head.hex)
        if end.canBeUndone { report.extra["undo"] = true }
        if end.hasStandingEffects { report.extra["standing"] = true }
        report.activeMicroseconds = end.usage.activeMicroseconds
        report.extra["childUsage"] = end.usage.record
        if wait.details?["undoes"] != nil { return try endUndo(id, end, report) }
        switch end.status {
        case .completed: try settle(id, .completed(output: end.outputs ?? .object(Object()), report))
        case .cancelled where state.ending != nil:
            try settle(id, .cancelled(Failure(.cancelled, "the sub-run \(end.run) was cancelled")))
        default:
            var failure = end.error ?? Failure(.failed, "ended as \(end.status.rawValue)")
            failure.message = "the sub-run \(end.run) \(end.status.rawValue): \(failure.message)"
            failure.step = nil
            try settle(id, .failed(failure, report))
        }
    }

    private mutating func endUndo(_ id: InstanceID, _ end: ChildEnd, _ report: AttemptReport) throws(EngineError) {
        var report = report
        report.extra["standing"] = nil
        if end.status == .cancelled, !end.hasStandingEffects {
            return try settle(id, .completed(output: nil, report))
        }
        let why = end.error.map { ": \($0.message)" } ?? ""
        try settle(id, .failed(Failure(.compensation, "\(end.run) could not undo everything\(why)"), report))
    }

    /// What the sub-run of an open wait is started with; nil where the wait stands for none, or for one that undoes.
    package func childStart(_ key: String) -> ChildStart? {
        guard let wait = state.waits[key], wait.reason == .subworkflow, let run = wait.run,
            let id = state.instance(at: wait.step), let intent = state[id].intent,
            let workflow = intent["workflow"]?.stringValue
        else { return nil }
        var start = ChildStart(
            run: run, workflow: workflow, inputs: intent["with"]?.objectValue ?? Object(),
            parent: parentRecord(for: wait),
            undoes: wait.details?["undoes"]?.stringValue, isDetached: wait.details?["detach"] == true,
            grant: intent["grant"]?.objectValue ?? Object())
        start.starter = state.starter
        return start
    }

    /// `{"run","step","visit","depth","groups"?}`: what a sub-run's `RUN_START` says of its caller. `groups` are the
    /// concurrency groups in whose places it works: those of the runs that wait for it.
    private func parentRecord(for wait: WaitState) -> Object {
        var record: Object = [
            "run": .string(state.id), "step": .string(wait.step), "visit": .int(Int64(wait.visit)),
            "depth": .int(Int64(state.depth + 1)),
        ]
        if wait.details?["detach"] != true {
            let groups = (state.parent["groups"]?.listValue ?? []) + (state.group.map { [.string($0)] } ?? [])
            if !groups.isEmpty { record["groups"] = .list(groups) }
        }
        return record
    }

    /// What `RUN_END` says for the run that called this one.
    func tellParent(_ data: inout Object, _ phase: RunPhase) {
        if phase == .completed, state.nextCompensation != nil { data["undo"] = true }
        data["usage"] = [
            "steps": .int(Int64(state.usage.steps)), "started": .int(Int64(state.usage.started)),
            "retries": .int(Int64(state.usage.retries)), "activeMicroseconds": .int(state.usage.activeMicroseconds),
            "tokens": .int(state.usage.tokens), "cost": .double(state.usage.cost),
        ]
    }

    /// Makes of a sub-run's past a run that undoes it. The state must be that of the entry before its `RUN_END`.
    mutating func undo(_ start: ChildStart) throws(EngineError) {
        guard !state.phase.isEnded, state.phase != .pending else {
            throw EngineError(.unexpectedStimulus, "there is nothing to undo in \(state.id)")
        }
        try emit(
            .forked, actor: .parent, by: start.parent["run"]?.stringValue,
            [
                "from": .string(state.id), "seq": .int(Int64(state.seq)), "mode": "undo", "run": .string(start.run),
                "parent": .object(start.parent),
            ])
    }
}

extension RunID {
    /// The id of the run that undoes another one.
    static func undo(of run: String) -> String {
        let id = run + "-undo"
        return isValid(id) ? id : "\(Digest.sha256(run).hex)-undo"
    }
}

import WaybillCore
import WaybillEngine
import WaybillManifests
import WaybillPorts

// What an earlier daemon has left under way.

extension RunDriver {
    /// Asks the state what is outstanding: what ended is collected, what runs is taken over, what never began is
    /// launched, the rest is unknown.
    func recover(_ session: RunSession) throws(RuntimeError) {
        for attempt in session.state.outstandingAttempts
        where attempts[attempt.reference] == nil && queued[attempt.reference] == nil {
            // What became of one attempt may have ended others.
            guard session.state.isOutstanding(attempt.reference) else { continue }
            if attempt.isEvent { try perform([.launch(attempt)], session) } else { try recover(attempt, session) }
        }
    }

    private func recover(_ attempt: Attempt, _ session: RunSession) throws(RuntimeError) {
        // Nothing of an earlier boot lives; its record was not synced, and what it left may be cut off.
        guard attempt.intent["boot"] == .string(tree.boot) else {
            return try lose(attempt, session, because: "the machine was started anew")
        }
        if let outcome = try outcome(of: attempt, session) { return try take(outcome, of: attempt, session) }
        guard session.host.wasLaunched(attempt) else { return try begin(attempt, session) }
        guard !attempt.isRequest else { return try lose(attempt, session) }
        switch try adopt(attempt, session) {
        case .running(let process): attend(process, as: attempt, session)
        case .neverBegan: try begin(attempt, session)
        case .gone:
            // It may have ended between the two looks.
            if let outcome = try outcome(of: attempt, session) { return try take(outcome, of: attempt, session) }
            try lose(attempt, session)
        }
    }

    private func begin(_ attempt: Attempt, _ session: RunSession) throws(RuntimeError) {
        if session.state.endsAttempts { try endUnlaunched(attempt.reference, session) } else { enqueue(attempt) }
    }

    private func outcome(of attempt: Attempt, _ session: RunSession) throws(RuntimeError) -> AttemptOutcome? {
        if let outcome = outcomes[attempt.reference] { return outcome }
        return try session.host.recordedOutcome(of: attempt)
    }

    private func take(_ outcome: AttemptOutcome, of attempt: Attempt, _ session: RunSession) throws(RuntimeError) {
        if outcome.leftNothing {
            outcomes[attempt.reference] = nil
            return try begin(attempt, session)
        }
        // A request that was stopped together with its daemon, and not because the engine wanted it, was interrupted.
        if attempt.isRequest, outcome.wasStopped, !session.state.endsAttempts {
            return try lose(attempt, session, because: "the process that sent it ended before it did")
        }
        let result = session.host.result(of: attempt, outcome, knowledge(of: attempt, session))
        let effects = try session.handle(.attemptEnded(attempt.reference, result))
        session.host.scrub(attempt.reference)
        try perform(effects, session)
        outcomes[attempt.reference] = nil
        masks[attempt.reference] = nil
    }

    private func adopt(_ attempt: Attempt, _ session: RunSession) throws(RuntimeError) -> Adoption {
        do throws(LaunchError) {
            return try environment.launcher.adopt(exitFile: session.host.exitFile(of: attempt.reference)) { outcome in
                self.post { $0.ended(attempt, outcome.map(AttemptOutcome.process)) }
            }
        } catch {
            throw RuntimeError(.storage, "\(attempt.reference.step) cannot be taken over now: \(error.message)")
        }
    }

    /// Counts what already runs among what runs here, and ends it if it should have ended.
    private func attend(_ process: any RunningProcess, as attempt: Attempt, _ session: RunSession) {
        let reference = attempt.reference
        attempts[reference] = process
        // Nothing may begin in its place, and it needs none of the places that others wait for.
        environment.steps.occupy()
        if let pool = attempt.intent["pool"]?.stringValue {
            environment.pools.take(pool, capacity: session.engine.definition.settings.pools[pool] ?? 1) { place in
                self.post { driver in
                    // By the time that there is a place it may be over.
                    if driver.attempts[reference] == nil {
                        driver.environment.pools.give(place)
                    } else {
                        driver.places[reference] = place
                    }
                }
            }
        }
        if session.state.endsAttempts { process.terminate(grace: nil) }
    }

    func lose(
        _ attempt: Attempt, _ session: RunSession,
        because reason: String = "what watched it was killed before it ended"
    ) throws(RuntimeError) {
        try perform(try session.handle(.attemptLost(attempt.reference, reason: reason)), session)
    }
}

import WaybillCore
import WaybillEngine
import WaybillPorts
import WaybillStore

extension Attempt {
    /// Whether it is an event that is to be put into the journal, not a process.
    var isEvent: Bool { intent["action"] == "emit" }
}

// Events from the journal to the run, and from the run to the journal.

extension RunDriver {
    // MARK: - Taking

    /// Gives open waits the first events that fit, until none fits any more.
    ///
    /// - Returns: whether there were any.
    func takeEvents(_ session: RunSession) throws(RuntimeError) -> Bool {
        guard !session.eventWaits.isEmpty, !session.state.phase.isEnded, session.state.takesEvents else { return false }
        // A `match` may read `vars`: what did not fit before may fit now.
        if session.takeNewsOfVars() { examined = [:] }
        var hasTaken = false
        do {
            let last = try tree.events.lastSeq(following: true)
            while true {
                // What was taken may have opened further waits.
                let behind = session.eventWaits.filter { examined[$0] ?? -1 < last }
                if behind.isEmpty { return hasTaken }
                for key in behind.sorted() where try takeEvent(for: key, upTo: last, session) { hasTaken = true }
            }
        } catch {
            throw RuntimeError(wrapping: error)
        }
    }

    /// Looks for the next event for one wait. Every call looks further than the one before.
    private func takeEvent(for key: String, upTo last: Int, _ session: RunSession) throws -> Bool {
        guard let wait = session.state.waits[key], let subscription = wait.event else {
            examined[key] = last
            return false
        }
        let engine = session.engine
        let cursor = max(subscription.cursor, examined[key] ?? 0)
        let search = try tree.events.next(
            type: subscription.type, key: subscription.key, after: cursor, except: engine.eventsTaken(waitKey: key)
        ) { engine.matches(waitKey: key, event: $0) }
        guard let seq = search.seq, let event = search.event, Self.isInTime(search, wait) else {
            // What came behind the deadline is for nobody: the clock ends this wait.
            examined[key] = max(search.examined, last)
            return false
        }
        examined[key] = seq
        try perform(try session.handle(.event(waitKey: key, seq: seq, event: event)), session)
        return true
    }

    private static func isInTime(_ search: EventSearch, _ wait: WaitState) -> Bool {
        guard let until = wait.until, let acceptedAt = search.acceptedAt else { return true }
        return acceptedAt <= until
    }

    /// What the run waits for, for those who wake it. What it no longer waits for is forgotten.
    func interests(of session: RunSession) -> [EventInterest] {
        // A run that is held hears of events when it goes on, and looks at all of them then.
        guard session.state.takesEvents else { return [] }
        let interests = session.eventWaits.sorted().compactMap { key -> EventInterest? in
            guard let subscription = session.state.waits[key]?.event else { return nil }
            return EventInterest(
                waitKey: key, type: subscription.type, key: subscription.key,
                examined: examined[key] ?? subscription.cursor)
        }
        if examined.count > interests.count {
            let open = Set(interests.map(\.waitKey))
            examined = examined.filter { open.contains($0.key) }
        }
        return interests
    }

    // MARK: - Sending

    /// Puts the events of `emit` steps into the journal, all with one write. After a crash it is done again: an event
    /// that is there is there once.
    ///
    /// - Returns: what follows.
    func send(_ attempts: [Attempt], _ session: RunSession) throws(RuntimeError) -> [Effect] {
        if attempts.isEmpty { return [] }
        var effects: [Effect] = []
        var submissions: [(attempt: AttemptReference, submission: EventSubmission)] = []
        for attempt in attempts {
            do throws(CloudEventError) {
                let event = try CloudEvent(attempt.intent["event"] ?? .null)
                submissions.append(
                    (attempt.reference, EventSubmission(event, actor: .engine, by: run.text)))
            } catch {
                effects += try refuse(attempt.reference, "the event is refused: \(error.message)", session)
            }
        }
        let acceptances: [EventAcceptance]
        do throws(StoreError) {
            acceptances = try tree.events.accept(submissions.map(\.submission), at: tree.clock.now())
        } catch {
            throw RuntimeError(error)
        }
        environment.eventsAccepted()
        for ((reference, _), acceptance) in zip(submissions, acceptances) {
            switch acceptance {
            case .accepted(let seq), .duplicate(let seq):
                effects += try session.handle(.emitted(reference, seq: seq))
            case .conflict(let seq):
                effects += try refuse(
                    reference, "another event with its source and id is entry \(seq) of the journal", session)
            }
        }
        return effects
    }

    private func refuse(
        _ reference: AttemptReference, _ message: String, _ session: RunSession
    ) throws(RuntimeError) -> [Effect] {
        let now = tree.clock.now()
        let result = AttemptResult(outcome: .notStarted(message), startedAt: now, endedAt: now)
        return try session.handle(.attemptEnded(reference, result))
    }
}

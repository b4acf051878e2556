package import WaybillCore
import WaybillManifests

// What others ask of a state. Outstanding work is a function of the state: recovery asks here.

extension RunState {
    /// The status people see.
    package var status: RunStatus {
        switch phase {
        case .pending: .pending
        case .paused: .paused
        case .completed: .completed
        case .failed: .failed
        case .cancelled: .cancelled
        case .running where isUnadmitted && ending == nil: .waiting
        case .running where isQueued && ending == nil: .pending
        case .running: outstanding.isEmpty && !waits.isEmpty ? .waiting : .running
        }
    }

    /// Whether its turn in its group has come, and no policy keeps it from beginning.
    var mayBegin: Bool { !isQueued && !isUnadmitted }

    /// Attempts that were started and have no outcome: to be launched, adopted or declared unknown.
    package var outstandingAttempts: [Attempt] { outstanding.sorted().compactMap { attempt(at: $0) } }

    /// The attempt that a step is in, if it goes on outside the engine and has no outcome.
    package func attempt(at id: InstanceID) -> Attempt? {
        let step = self[id]
        guard step.status == .running, step.isOutside, let intent = step.intent else { return nil }
        return Attempt(
            reference: AttemptReference(step: address(of: id), visit: step.visit, attempt: step.attempt),
            intent: intent, startedAt: step.since ?? lastTimestamp)
    }

    /// Whether an attempt is under way and has no outcome yet.
    package func isOutstanding(_ reference: AttemptReference) -> Bool {
        instance(at: reference.step).flatMap { attempt(at: $0) }?.reference == reference
    }

    /// The next moment at which the clock alone changes something; nil where nothing waits for it, and from the request
    /// of a pause to its end: deadlines that pass meanwhile fire at resume.
    package var nextDeadline: Timestamp? {
        guard phase == .running, !isPauseRequested || ending != nil else { return nil }
        return deadlines.first?.until
    }

    /// Steps that have begun and not ended, in order: the first so many.
    func activeSteps(limit: Int) -> [InstanceID] {
        var found: [InstanceID] = []
        for id in counts.active > 0 ? frames.keys.sorted() : [] {
            guard let frame = frames[id], frame.begun > 0 else { continue }
            for (step, state) in frame.steps.enumerated() where state.status.isBegun {
                guard found.count < limit else { return found }
                found.append(InstanceID(frame: id, step: step))
            }
        }
        return found
    }

    /// Steps whose attempt's outcome is unknown, in order.
    var unknownSteps: [InstanceID] {
        frames.keys.sorted().flatMap { frame in
            (frames[frame]?.steps ?? []).indices.map { InstanceID(frame: frame, step: $0) }
        }.filter { self[$0].status == .unknown }
    }

    /// Whether the engine itself has attempts ended, as the run is cancelled or finishes early: what was stopped then was
    /// stopped on purpose. What is undone or cleaned up later, and what finishes beside a failure, nobody wanted stopped.
    package var endsAttempts: Bool { isAborted || stage == .main && (ending == .cancellation || ending == .finish) }

    /// Whether open waits take events: not in a run that is on its way to rest, whose waits close, or that is held and
    /// takes them once it goes on.
    package var takesEvents: Bool { ending == nil || stage != .main }

    /// How an answer with this key stands, so that a file can be left alone until its wait opens.
    package func disposition(ofKey key: String) -> KeyDisposition {
        if phase.isEnded { return .ended }
        if let wait = waits[key] { return wait.reply == nil ? .notAnswerable : .open }
        if closedWaits[key] != nil { return .closed }
        return declaresWait(key) ? .early : .unknown
    }

    /// Whether a step that can still be visited may open a wait with this key.
    private func declaresWait(_ key: String) -> Bool {
        guard ending == nil else { return false }
        let stem = key.utf8.lastIndex(of: UInt8(ascii: ".")).map { key[key.utf8.index(after: $0)...] } ?? key[...]
        // `<address>.<visit>` from the second visit on, and `<address>-<branch>` for a `first`.
        let parts = stem.split(separator: "-", maxSplits: 1)
        if let visit = parts.first.flatMap({ Int($0) }) {
            guard visit > 1, let dot = key.utf8.lastIndex(of: UInt8(ascii: ".")) else { return false }
            let suffix = parts.count > 1 ? "-\(parts[1])" : ""
            return canOpenWait(String(key[..<dot]), suffix, visit: visit)
        }
        if canOpenWait(key, "", visit: 1) { return true }
        guard let dash = key.utf8.lastIndex(of: UInt8(ascii: "-")) else { return false }
        return canOpenWait(String(key[..<dash]), String(key[dash...]), visit: 1)
    }

    private func canOpenWait(_ address: String, _ suffix: String, visit: Int) -> Bool {
        guard let step = definition.step(at: address) else { return false }
        switch step.action {
        // Where it matters who answers, an answer names the question by its token, which nobody knows yet.
        case .ask(let question): guard suffix.isEmpty, question.from == nil else { return false }
        case .first(let branches):
            guard branches.contains(where: { $0.takesEarlyAnswers && "-\($0.name)" == suffix }) else { return false }
        default: return false
        }
        guard let id = instance(at: address), let frame = frames[id.frame] else {
            return mayStillCome(address, visit: visit)
        }
        let mayComeAgain = frame.plan.shape != .graph || step.repetition != nil || frame.isRevisitable
        if mayComeAgain { return visit > self[id].visit && visit <= step.maxVisits }
        return visit == 1 && self[id].status == .pending
    }

    /// Whether a step in a group or an item that is not open may come: its group has not begun, its item is ahead.
    private func mayStillCome(_ address: String, visit: Int) -> Bool {
        guard let mark = address.utf8.lastIndex(where: { $0 == UInt8(ascii: ".") || $0 == UInt8(ascii: "-") }) else {
            return visit == 1
        }
        let outer = String(address[..<mark])
        guard let id = instance(at: outer), let frame = frames[id.frame] else {
            return mayStillCome(outer, visit: visit)
        }
        if frame.isRevisitable || plan(of: id.frame).shape != .graph || definition(of: id).isVisitedAgain {
            return visit > (pastVisits[address]?.visit ?? 0)
        }
        guard visit == 1, !self[id].status.isSettled else { return false }
        guard let loop = self[id].loop else { return true }
        return Int(address[address.utf8.index(after: mark)...]).map { $0 >= loop.next && $0 < loop.count } ?? false
    }
}

extension FirstBranch {
    fileprivate var takesEarlyAnswers: Bool {
        if case .ask(let question) = kind { question.from == nil } else { false }
    }
}

/// How an answer's key stands in a run.
package enum KeyDisposition: Sendable, Hashable {
    case open
    /// An open wait that only the clock ends.
    case notAnswerable
    /// Declared, not yet open: the file is held.
    case early
    case closed
    case unknown
    case ended
}

/// One attempt of one visit of one step.
package struct AttemptReference: Sendable, Hashable {
    package var step: String
    package var visit: Int
    package var attempt: Int

    package init(step: String, visit: Int, attempt: Int) {
        self.step = step
        self.visit = visit
        self.attempt = attempt
    }
}

/// An attempt and its recorded intent.
package struct Attempt: Sendable, Hashable {
    package var reference: AttemptReference
    /// The data of its `TASK_START`: `argv`, `env`, `cwd`, `stdin`, `timeout`, `boot`.
    package var intent: Object
    package var startedAt: Timestamp

    package init(reference: AttemptReference, intent: Object, startedAt: Timestamp) {
        self.reference = reference
        self.intent = intent
        self.startedAt = startedAt
    }
}

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
        case .running: counts.running == 0 && !waits.isEmpty ? .waiting : .running
        }
    }

    /// Attempts that were started and have no outcome: to be launched, adopted or declared unknown.
    package var outstandingAttempts: [Attempt] {
        guard counts.running > 0 else { return [] }
        return steps.indices.compactMap { attempt(at: $0) }
    }

    /// The attempt that a step is in, if it is a process without an outcome.
    package func attempt(at index: Int) -> Attempt? {
        let step = steps[index]
        guard step.status == .running, let intent = step.intent else { return nil }
        return Attempt(
            reference: AttemptReference(
                step: definition.plan.steps[index].id, visit: step.visit, attempt: step.attempt),
            intent: intent, startedAt: step.since ?? lastTimestamp)
    }

    /// The next moment at which the clock alone changes something; nil where nothing waits for it, and from the request
    /// of a pause to its end: deadlines that pass meanwhile fire at resume.
    package var nextDeadline: Timestamp? {
        guard phase == .running, !isPauseRequested else { return nil }
        return waits.values.lazy.compactMap(\.until).min()
    }

    /// Whether a pause or a cancellation waits for running attempts to end.
    package var isEnding: Bool { ending != nil }

    /// How an answer with this key stands, so that a file can be left alone until its wait opens.
    package func disposition(ofKey key: String) -> KeyDisposition {
        if phase.isEnded { return .ended }
        if let wait = waits[key] { return wait.reply == nil ? .notAnswerable : .open }
        if closedWaits[key] != nil { return .closed }
        return declaresWait(key) ? .early : .unknown
    }

    /// Whether a step that can still be visited may open a wait with this key.
    private func declaresWait(_ key: String) -> Bool {
        let plan = definition.plan
        if let index = plan.index(of: key) { return canOpenWait(index, visit: 1) }
        // `<step>.<visit>` from the second visit on.
        guard let dot = key.lastIndex(of: "."), let visit = Int(key[key.index(after: dot)...]), visit > 1,
            let index = plan.index(of: String(key[..<dot]))
        else { return false }
        return canOpenWait(index, visit: visit)
    }

    private func canOpenWait(_ index: Int, visit: Int) -> Bool {
        let step = definition.plan.steps[index]
        guard case .ask = step.action, ending == nil else { return false }
        switch definition.plan.shape {
        case .graph: return visit == 1 && steps[index].status == .pending
        case .machine: return visit > steps[index].visit && visit <= step.maxVisits
        }
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

package import WaybillCore
package import WaybillManifests

/// An open wait: a question, or a deadline.
package struct WaitState: Sendable, Hashable {
    /// The address, with `.<visit>` from the second visit on, or `<address>-unknown`; of the run itself `admit-<rule>`.
    package var key: String
    /// Empty where the run itself waits, to be admitted.
    package var step: String
    package var visit: Int
    package var reason: WaitReason
    package var since: Timestamp
    package var until: Timestamp?
    package var prompt: String?
    package var choices: [String]?
    package var schema: Value?
    package var attachments: [Value] = []
    /// Taken at the deadline; nil: the step fails with `timeout`.
    package var defaultAnswer: Value?
    /// Nil for waits that only the clock ends.
    package var reply: ReplyForm?
    /// Of `first`: which of its waits this is.
    package var branch: String?
    /// The event it waits for.
    package var event: EventSubscription?
    /// The sub-run it waits for.
    package var run: String?
    /// What only the engine needs: the rule and digest of a policy's approval, the handle of a job.
    package var details: Object?
    /// Who may answer; nil: anybody who can write to the inbox.
    package var from: AnswererRule?
    /// What was accepted while others have to answer as well.
    package var votes: [Vote] = []
    /// The SHA-256 of the `TASK_WAITING` line.
    package var token: Digest?

    package init(key: String, step: String, visit: Int, reason: WaitReason, since: Timestamp) {
        self.key = key
        self.step = step
        self.visit = visit
        self.reason = reason
        self.since = since
    }
}

extension WaitState {
    /// Whether no step waits but the run itself.
    package var isOfRun: Bool { step.isEmpty }

    /// Nil where the run itself waits.
    package var stepName: String? { isOfRun ? nil : step }
}

/// Which events a wait takes: those of a type, after a cursor, whose `key` is this one.
package struct EventSubscription: Sendable, Hashable {
    package var type: String
    package var key: String?
    /// The journal's number of the last event that does not count.
    package var cursor: Int

    package init(type: String, key: String?, cursor: Int) {
        self.type = type
        self.key = key
        self.cursor = cursor
    }

    package var value: Value {
        var object: Object = ["type": .string(type), "cursor": .int(Int64(cursor))]
        object["key"] = key.map(Value.string)
        return .object(object)
    }

    package init?(_ value: Value?) {
        guard let type = value?["type"]?.stringValue, let cursor = value?["cursor"]?.intValue else { return nil }
        self.init(type: type, key: value?["key"]?.stringValue, cursor: Int(cursor))
    }
}

/// What kind of answer a wait takes.
package enum ReplyForm: String, Sendable, Hashable {
    case any
    case schema
    case choices
    case approval
    /// Of an attempt whose outcome is unknown: `done` (with an output), `failed` or `retry`.
    case unknown
}

/// What is remembered of a wait that is over, to tell repeated answers from contradicting ones.
package struct ClosedWait: Sendable, Hashable {
    package var key: String
    /// The accepted answer's digest; nil if the clock, a failure or a cancellation closed it.
    package var answer: Digest?
    /// The entry that accepted it, or that closed the wait.
    package var seq: Int
    /// Whether its deadline passed.
    package var isExpired: Bool
    /// The answers of others that it was accepted with, and the entries that accepted them.
    package var earlier: [Digest: Int] = [:]

    /// The entry that accepted these bytes; nil if none did.
    func entry(accepting digest: Digest) -> Int? { digest == answer ? seq : earlier[digest] }

    package init(key: String, answer: Digest?, seq: Int, isExpired: Bool) {
        self.key = key
        self.answer = answer
        self.seq = seq
        self.isExpired = isExpired
    }
}

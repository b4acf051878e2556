import WaybillCore

/// What an entry says. Types of a newer version are carried along; whoever folds entries says what to do with them.
package struct EntryType: RawRepresentable, Hashable, Sendable {
    package let rawValue: String

    package init(rawValue: String) { self.rawValue = rawValue }

    private init(_ rawValue: String) { self.rawValue = rawValue }

    // Of runs.
    package static let runStart = EntryType("RUN_START")
    package static let runAdmitted = EntryType("RUN_ADMITTED")
    package static let runEnd = EntryType("RUN_END")
    package static let runPaused = EntryType("RUN_PAUSED")
    package static let runResumed = EntryType("RUN_RESUMED")
    package static let runCancelled = EntryType("RUN_CANCELLED")
    package static let taskStart = EntryType("TASK_START")
    package static let taskEnd = EntryType("TASK_END")
    package static let taskRetry = EntryType("TASK_RETRY")
    package static let taskWaiting = EntryType("TASK_WAITING")
    package static let taskResumed = EntryType("TASK_RESUMED")
    package static let taskUnknown = EntryType("TASK_UNKNOWN")
    package static let guardEval = EntryType("GUARD_EVAL")
    package static let branchTaken = EntryType("BRANCH_TAKEN")
    package static let policyPre = EntryType("POLICY_PRE")
    package static let policyPost = EntryType("POLICY_POST")
    package static let verification = EntryType("VERIFICATION")
    package static let compensation = EntryType("COMPENSATION")
    package static let answerAccepted = EntryType("ANSWER_ACCEPTED")
    package static let answerRejected = EntryType("ANSWER_REJECTED")
    package static let eventEmitted = EntryType("EVENT_EMITTED")
    package static let eventReceived = EntryType("EVENT_RECEIVED")
    package static let snapshot = EntryType("SNAPSHOT")
    package static let checkpoint = EntryType("CHECKPOINT")
    package static let limitWarning = EntryType("LIMIT_WARNING")
    package static let diagnostic = EntryType("DIAGNOSTIC")
    package static let error = EntryType("ERROR")
    package static let forked = EntryType("FORKED")
    package static let migrated = EntryType("MIGRATED")
    package static let erased = EntryType("ERASED")
    package static let repaired = EntryType("REPAIRED")

    // Of both.
    package static let signed = EntryType("SIGNED")

    // Of the journal.
    package static let runStarted = EntryType("RUN_STARTED")
    package static let runEnded = EntryType("RUN_ENDED")
    package static let startRefused = EntryType("START_REFUSED")
    package static let slotTaken = EntryType("SLOT_TAKEN")
    package static let slotMissed = EntryType("SLOT_MISSED")
    package static let runDeclared = EntryType("RUN_DECLARED")
    package static let eventAccepted = EntryType("EVENT_ACCEPTED")
    package static let eventRefused = EntryType("EVENT_REFUSED")
    package static let answerRefused = EntryType("ANSWER_REFUSED")
    package static let syncApplied = EntryType("SYNC_APPLIED")
    package static let syncRefused = EntryType("SYNC_REFUSED")
    package static let runPruned = EntryType("RUN_PRUNED")
    package static let runRepaired = EntryType("RUN_REPAIRED")

    /// Whether the name has the form all types have, known or not: `[A-Z][A-Z0-9_]*`, at most 64 characters.
    package var isWellFormed: Bool {
        guard (1...64).contains(rawValue.utf8.count), let first = rawValue.utf8.first else { return false }
        let isUpper = { (byte: UInt8) in byte.isLetter && byte & 0x20 == 0 }
        return isUpper(first) && rawValue.utf8.allSatisfy { isUpper($0) || $0.isDigit || $0 == UInt8(ascii: "_") }
    }
}

extension EntryType: CustomStringConvertible {
    package var description: String { rawValue }
}

/// Who is behind an entry; the entry's `by` says which one of them.
package struct Actor: RawRepresentable, Hashable, Sendable {
    package let rawValue: String

    package init(rawValue: String) { self.rawValue = rawValue }

    package static let engine = Actor(rawValue: "engine")
    package static let user = Actor(rawValue: "user")
    package static let policy = Actor(rawValue: "policy")
    package static let hook = Actor(rawValue: "hook")
    package static let schedule = Actor(rawValue: "schedule")
    package static let event = Actor(rawValue: "event")
    package static let sync = Actor(rawValue: "sync")
    package static let parent = Actor(rawValue: "parent")

    /// Whether the name has the form all actors have, known or not: lower-case letters, at most 64.
    package var isWellFormed: Bool {
        (1...64).contains(rawValue.utf8.count) && rawValue.utf8.allSatisfy { $0.isLetter && $0 & 0x20 != 0 }
    }
}

extension Actor: CustomStringConvertible {
    package var description: String { rawValue }
}

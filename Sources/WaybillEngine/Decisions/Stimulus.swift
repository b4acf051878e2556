package import WaybillCore

/// When a stimulus reached the engine. The engine reads no clock and no environment.
package struct Moment: Sendable, Hashable {
    package var now: Timestamp
    /// The kernel's boot id: a process recorded under another one is gone.
    package var boot: String
    /// The journal's last entry, for waits that take only events after it.
    package var journalSeq: Int
    /// What nobody can guess, fresh for every decision: sensitive payloads are salted with it.
    package var salt: Digest

    package init(now: Timestamp, boot: String, journalSeq: Int = 0, salt: Digest = Digest.zero) {
        self.salt = salt
        self.now = now
        self.boot = boot
        self.journalSeq = journalSeq
    }
}

/// Something that happened outside, and that a run may react to.
package enum Stimulus: Sendable {
    /// The first one: creates the run.
    case start(RunStart)
    /// Nothing new; decides what an earlier decision left, e.g. after its limit of steps.
    case resume
    /// The clock moved on; deadlines may have passed.
    case tick
    /// An attempt ended, and this is what it left.
    case attemptEnded(AttemptReference, AttemptResult)
    /// An attempt's outcome cannot be known: nothing of it lives, and it left no `exit.json`.
    case attemptLost(AttemptReference, reason: String)
    /// A file that was claimed from an inbox.
    case file(InboxFile)
    /// The journal has the event that an attempt of an `emit` step was to put there; `seq` is its entry.
    case emitted(AttemptReference, seq: Int)
    /// The first event after the cursor of an open wait that `matches` it.
    case event(waitKey: String, seq: Int, event: Value)
    /// The sub-run that an open wait of a detached call stands for is there.
    case childStarted(waitKey: String)
    /// The sub-run that an open wait stands for ended.
    case childEnded(waitKey: String, ChildEnd)
    /// The run's concurrency group has a place for it.
    case admitted
    /// Turns the past of a sub-run that completed into a run that undoes it.
    case undo(ChildStart)
}

/// What a sub-run is started with.
package struct ChildStart: Sendable, Hashable {
    package var run: String
    package var workflow: String
    package var inputs: Object
    /// `{"run","step","visit","depth","groups"?}`
    package var parent: Object
    /// The sub-run that this one undoes; nil for one that is called.
    package var undoes: String?
    package var isDetached: Bool
    /// What it may use of its parent's budgets: `RunStart.grant`.
    package var grant = Object()
    /// The person that the run goes back to.
    package var starter: Answerer?

    package init(
        run: String, workflow: String, inputs: Object, parent: Object, undoes: String? = nil, isDetached: Bool = false,
        grant: Object = Object()
    ) {
        self.run = run
        self.workflow = workflow
        self.inputs = inputs
        self.parent = parent
        self.undoes = undoes
        self.isDetached = isDetached
        self.grant = grant
    }
}

/// How a sub-run ended, from its own ledger.
package struct ChildEnd: Sendable, Hashable {
    package var run: String
    package var status: RunStatus
    package var outputs: Value?
    package var error: Failure?
    /// The digest of its last entry.
    package var head: Digest
    /// Whether it did something that it can undo.
    package var canBeUndone: Bool
    /// Whether it did something that is neither wanted nor undone.
    package var hasStandingEffects: Bool
    package var usage: Usage
    /// Whether it was never made: a policy or its concurrency group did not let it in.
    package var isRefused: Bool

    package init(
        run: String, status: RunStatus, outputs: Value?, error: Failure?, head: Digest, canBeUndone: Bool = false,
        hasStandingEffects: Bool = false, usage: Usage = Usage(), isRefused: Bool = false
    ) {
        self.isRefused = isRefused
        self.run = run
        self.status = status
        self.outputs = outputs
        self.error = error
        self.head = head
        self.canBeUndone = canBeUndone
        self.hasStandingEffects = hasStandingEffects
        self.usage = usage
    }
}

/// What starts a run. Inputs have been checked against their schemas, and defaults filled in.
package struct RunStart: Sendable {
    package var id: String
    package var commit: String?
    package var inputs: Object
    /// `{"type":"manual","by":"alice"}` and so on.
    package var trigger: Object
    package var actor: Actor
    package var by: String?
    package var labels: Object
    /// Warnings found in the manifests, recorded with the run.
    package var diagnostics: [Diagnostic]
    /// The run's own `retry`, as a manifest would write it and checked (`RetryOverride`); it comes before what steps say.
    package var retry = Object()
    /// Of a sub-run what says who called it: `ChildStart.parent`.
    package var parent: Object?
    /// The journal's last entry: events after it count for this run.
    package var journalSeq = 0
    /// What a sub-run may use of its parent's budgets: `{"steps","retries","elapsed","active","cost","tokens"}`.
    package var grant = Object()
    /// The concurrency group that it belongs to, as evaluated: it waits for its place there before its first step.
    package var group: String?
    /// The person that it goes back to, for `notStarter`; of a sub-run, the one of the run that called it.
    package var starter: Answerer?

    package init(
        id: String, commit: String?, inputs: Object, trigger: Object, actor: Actor, by: String?,
        labels: Object = Object(), diagnostics: [Diagnostic] = []
    ) {
        self.id = id
        self.commit = commit
        self.inputs = inputs
        self.trigger = trigger
        self.actor = actor
        self.by = by
        self.labels = labels
        self.diagnostics = diagnostics
    }

    /// The digest that tells whether a second start with the same id is the same run.
    package static func digest(workflow: String, inputs: Object) -> Digest {
        // Inputs come from JSON, which has no values that RFC 8785 cannot write.
        let canonical = try? JSON.canonical(["workflow": .string(workflow), "inputs": .object(inputs)])
        return Digest.sha256(canonical ?? [])
    }
}

/// What an attempt left behind.
package struct AttemptResult: Sendable {
    package enum Outcome: Sendable, Hashable {
        case exited(Int)
        case signalled(Int)
        /// Ended for using more of the machine than its limits allow, by a signal or with an exit code that stands for it.
        case exceeded(ProcessLimits.Kind, signal: Int?, exitCode: Int?)
        /// Ended by Waybill because its time was up.
        case timedOut
        /// Ended by Waybill on request.
        case stopped
        /// Never ran, e.g. the program does not exist.
        case notStarted(String)
        /// Never begun, for want of a secret.
        case withoutSecret(String)
        /// Of a request: it has an answer.
        case responded(HTTPReply)
        /// Of a request: no answer came, and none can come any more.
        case unreachable(String)
    }

    /// The bytes that the step's `output` names.
    package enum Output: Sendable, Hashable {
        case none
        case bytes([UInt8])
        case tooLarge(Int)
        /// Unreadable, cut off or not there; with the reason.
        case missing(String)
    }

    package var outcome: Outcome
    package var output: Output
    package var artifacts: [ArtifactRecord]
    /// Why artifacts could not be kept.
    package var artifactProblem: String?
    /// Where a secret was found in what it left, which was not kept.
    package var secretProblem: String?
    package var startedAt: Timestamp
    package var endedAt: Timestamp

    package init(
        outcome: Outcome, output: Output = .none, artifacts: [ArtifactRecord] = [], artifactProblem: String? = nil,
        startedAt: Timestamp, endedAt: Timestamp
    ) {
        self.outcome = outcome
        self.output = output
        self.artifacts = artifacts
        self.artifactProblem = artifactProblem
        self.startedAt = startedAt
        self.endedAt = endedAt
    }
}

/// A claimed inbox file: its bytes, or why it was refused before they were read.
package struct InboxFile: Sendable {
    package enum Content: Sendable, Hashable {
        case bytes([UInt8])
        case refused(RefusalKind, String)
    }

    /// The name as it was dropped, made printable.
    package var name: AnswerName
    package var content: Content
    package var digest: Digest?
    /// Bytes.
    package var size: Int
    package var uid: Int
    package var user: String?
    /// The file's change time, read before it was claimed.
    package var changedAt: Timestamp
    /// The lower nine bits of its mode, from the descriptor that its bytes were read through.
    package var permissions: UInt16 = 0o600
    /// Of the groups that rules name, those that its owner is in.
    package var groups: [String] = []
    /// Whether its owner is the user that Waybill, and so every step, runs as.
    package var isOwnUser = false
    /// Whose signature lies beside it; nil without one, or where none is asked for.
    package var signature: Signature?
    /// The bytes of the signature, as they are recorded.
    package var signatureText: String?
    /// Of the file of allowed signers that the signature was compared with.
    package var signersDigest: Digest?

    /// What came of looking at a signature.
    package enum Signature: Sendable, Hashable {
        /// It holds: the principals among those that rules name, and the key's fingerprint.
        case valid(principals: [String], key: String)
        /// It does not, with the reason.
        case refused(String)
    }

    package init(
        name: AnswerName, content: Content, digest: Digest?, size: Int, uid: Int, user: String?, changedAt: Timestamp
    ) {
        self.name = name
        self.content = content
        self.digest = digest
        self.size = size
        self.uid = uid
        self.user = user
        self.changedAt = changedAt
    }

    /// The author as the ledger names it.
    package var author: String { user ?? "uid:\(uid)" }
}

/// Why an inbox file was refused (contract, Appendices A and C).
package enum RefusalKind: String, Sendable, Hashable {
    case schema
    case syntax
    case size
    case type
    case owner
    case signature
    case token
    case unknownWait = "unknown-wait"
    case alreadyAnswered = "already-answered"
    case late
    case control
    case conflict
    case unknownWorkflow = "unknown-workflow"
    case unknownRun = "unknown-run"
    case policy
    case skipped
}

package import WaybillCore
package import WaybillManifests

/// A run as its ledger tells it: a fold over entries, and nothing else.
///
/// Everything here follows from the definition and the entries applied so far. `apply(_:)` takes an entry's meaning,
/// `seal(_:digest:byteCount:)` its place in the chain; live decisions and replay call the same two.
package struct RunState: Sendable {
    package let definition: WorkflowDefinition

    // What RUN_START said.
    package var id = ""
    package var definitionDigest = Digest.zero
    package var commit: String?
    package var inputs = Payload.inline(.object(Object()))
    package var context = Object()
    package var goal: Value = .null
    package var labels = Object()
    package var trigger: Value = .null
    package var startedBy: String?
    /// The person that the run goes back to, for `notStarter`; nil where a clock or an event started it.
    package var starter: Answerer?
    /// Who may control the run: every one of these rules must hold.
    package var control: [AnswererRule] = []
    /// What a control file must name where that is restricted: the digest of the `RUN_START` line, or of the newest one
    /// that accepted a control file.
    package var controlToken: Digest?
    package var parent: Value = .null
    package var session: Value = .null
    /// The sub-run that this run undoes: its past is this one's past.
    package var undoes: String?
    package var durability = Durability.full
    package var startedAt = Timestamp(microseconds: 0)
    /// The run's own `retry`, before what steps say.
    package var retryOverride = RetryOverride()
    /// The journal's last entry when the run began: events after it count.
    package var journalSeq = 0
    /// What a sub-run may use of its parent's budgets, see `LimitsDefinition(grant:)`.
    package var grant = Object()
    /// The concurrency group that the run belongs to.
    package var group: String?
    /// Whether the run waits for its turn in its group.
    package var isQueued = false
    /// Whether a policy still has to let the run begin, or never did.
    package var isUnadmitted = false
    /// Compact digest of workflow name and inputs: what makes a second start with the same id the same run.
    package var startDigest = ""

    // How it stands.
    package var phase = RunPhase.pending
    /// Plans under way, by number; `Frame.root` is always there. What a frame held goes when it ends, unless something
    /// done in it may still have to be undone.
    package var frames = FrameTable()
    package var variables = Object()
    /// What variables were, the oldest first, when something was done that may still be undone.
    var pastVariables: [String: [PastValue]] = [:]
    package internal(set) var waits: [String: WaitState] = [:]
    package var closedWaits = ClosedWaits()
    package var snapshots: [String: SnapshotRecord] = [:]
    package var outputs: Payload?
    package var error: Failure?
    package var endedAt: Timestamp?
    package var pausedAt: Timestamp?
    package var isPauseRequested = false
    /// Whether the pause was the parent's, which then also ends it.
    package var isPausedByParent = false
    /// The entry of the parent's ledger from which its newest order came.
    package var lastOrder = 0
    /// Why the run is being brought to its end before all steps are settled.
    package var ending: Ending?

    /// Which part of its life the run is in.
    package var stage = RunStage.main
    /// The visits under which rejected results were undone at once, by address of what was undone: no other undoing takes
    /// one of them again.
    var takenUndoVisits: [String: Set<Int>] = [:]
    /// What can be undone, in the order in which it was done.
    package var compensations: [CompensationRecord] = []
    /// Whether the run is paused because it failed, until `@retry` or `@cancel`.
    package var isHeld = false
    /// The one of `compensations` that is being undone.
    var undoing: Int?
    /// None of `compensations` from here on is still to be undone, and none before `undoFloor`: so the next one is found
    /// without looking at all of them.
    var undoCursor = 0
    var undoFloor = 0
    /// Whether a second cancellation ended undoing and cleaning up.
    package var isAborted = false

    // Bookkeeping, so that a decision costs the same in a plan of 10 steps and of 10,000.
    /// Steps that may be decided upon, in the order of their frames, and in those of the file.
    package var ready = ReadySteps()
    /// Steps that wait beside a failure that the run goes on after, e.g. of a group with `catch`: their waits close.
    package var abandoned = ReadySteps()
    /// When waits end by the clock.
    var deadlines = MemberHeap<Deadline>()
    /// Steps with an attempt that has no outcome.
    package var outstanding: Set<InstanceID> = []
    /// The newest frame that each key (`group.`, `load-3`) names.
    var frameIDs: [String: Int] = [:]
    var nextFrame = 1
    /// Visits, and events received, of addresses whose frame has ended and may be opened again.
    var pastVisits: [String: PastVisits] = [:]
    package var counts = StepCounts()

    // Counters.
    package var usage = Usage()
    /// What sub-runs were granted of the run's budgets.
    package var granted = Grants()
    /// What was said of budgets, each once: `<source> <measure> <percent>`.
    package var limitWarnings: Set<String> = []
    package var diagnostics = DiagnosticCounts()
    package var rejections = RejectionCounts()

    // The ledger.
    package var seq = 0
    package var head = Digest.zero
    package var lastTimestamp = Timestamp(microseconds: 0)
    /// Bytes of the ledger up to and with the last sealed entry.
    package var ledgerBytes = 0
    package var checkpoint = CheckpointMark()

    /// The state before the first entry; `genesis` is the digest of `definition/index.json`.
    package init(definition: WorkflowDefinition, genesis: Digest) {
        self.definition = definition
        definitionDigest = genesis
        head = genesis
        let root = Frame(
            id: Frame.root, kind: .root, plan: definition.plan, parent: nil, base: "", isRevisitable: false)
        frames[Frame.root] = root
        counts.pending = definition.plan.steps.count
    }
}

/// Where in its life a run is; the status people see follows from it.
package enum RunPhase: String, Sendable, Hashable {
    case pending
    case running
    case paused
    case completed
    case failed
    case cancelled

    package var isEnded: Bool { self == .completed || self == .failed || self == .cancelled }
}

/// The parts of a run's life (contract, section 3, "Meaning of skipping and failing").
package enum RunStage: String, Sendable, Hashable {
    case main
    /// What was done is undone, one thing after the other.
    case undoing
    case onFailure
    case finally
    /// Nothing is left but `RUN_END`.
    case done
}

/// What is kept of an address between two frames that have it.
package struct PastVisits: Sendable, Hashable {
    package var visit: Int
    package var eventsTaken: Set<Int> = []
}

/// Why a run ends early.
package enum Ending: String, Sendable, Hashable {
    case failure
    case cancellation
    /// A `finish` step.
    case finish
    /// A pause that undoes what was done; the run begins anew when it is resumed.
    case rollback
}

/// How many steps are in each status.
package struct StepCounts: Sendable, Hashable {
    package var pending = 0
    package var running = 0
    package var waiting = 0
    package var completed = 0
    package var failed = 0
    package var skipped = 0
    package var cancelled = 0
    package var unknown = 0

    package init() {}

    package subscript(_ status: StepStatus) -> Int {
        get {
            switch status {
            case .pending: pending
            case .running: running
            case .waiting: waiting
            case .completed, .compensated: completed
            case .failed: failed
            case .skipped: skipped
            case .cancelled: cancelled
            case .unknown: unknown
            }
        }
        set {
            switch status {
            case .pending: pending = newValue
            case .running: running = newValue
            case .waiting: waiting = newValue
            case .completed, .compensated: completed = newValue
            case .failed: failed = newValue
            case .skipped: skipped = newValue
            case .cancelled: cancelled = newValue
            case .unknown: unknown = newValue
            }
        }
    }

    /// Counts a step, and the steps inside it.
    mutating func add(_ step: StepState) {
        self[step.status] += 1
        for status in Self.statuses { self[status] += step.inside[status] }
    }

    package var total: Int { pending + running + waiting + completed + failed + skipped + cancelled + unknown }
    /// Steps that have begun and not ended.
    package var active: Int { running + waiting + unknown }
}

/// What a run has used.
package struct Usage: Sendable, Hashable {
    /// Attempts that ended.
    package var steps = 0
    /// Attempts that were started: what a limit on steps counts.
    package var started = 0
    package var retries = 0
    /// The sum over attempts of the time from start to end.
    package var activeMicroseconds: Int64 = 0
    package var tokens: Int64 = 0
    package var cost = 0.0

    package init() {}

    /// For checkpoints, and for what a sub-run used in its parent's ledger.
    package var record: Value {
        [
            "steps": .int(Int64(steps)), "retries": .int(Int64(retries)), "started": .int(Int64(started)),
            "activeMicroseconds": .int(activeMicroseconds), "tokens": .int(tokens), "cost": .double(cost),
        ]
    }
}

package struct DiagnosticCounts: Sendable, Hashable {
    package var errors = 0
    package var warnings = 0

    package init() {}
}

/// How many inbox files were refused; see `RejectionLimits`.
package struct RejectionCounts: Sendable, Hashable {
    package var recorded = 0
    /// Refused beyond the limit, so only counted.
    package var counted = 0
    package var lastCountedAt: Timestamp?

    package init() {}
}

/// Where the newest `CHECKPOINT` entry points.
package struct CheckpointMark: Sendable, Hashable {
    /// The entry whose state it holds; 0 before the first.
    package var seq = 0
    /// Bytes of the checkpoint file.
    package var size = 0
    /// Bytes of the ledger up to that entry.
    package var ledgerBytes = 0
    /// Visits that ended since.
    package var stepsSince = 0

    package init() {}
}

/// A bookmark, from a `SNAPSHOT` entry.
package struct SnapshotRecord: Sendable, Hashable {
    package var name: String
    package var description: String?
    package var tags: [String]
    package var seq: Int
    package var at: Timestamp
    package var step: String?
    package var by: String?

    package init(
        name: String, description: String?, tags: [String], seq: Int, at: Timestamp, step: String?, by: String?
    ) {
        self.name = name
        self.description = description
        self.tags = tags
        self.seq = seq
        self.at = at
        self.step = step
        self.by = by
    }
}

import SystemPackage
package import WaybillCore
package import WaybillEngine
import WaybillStore

/// How a driver came to rest, or what it needs.
package enum DriverReport: Sendable {
    /// Nothing to do before this moment, or before a file comes.
    case dormant(RunGlance)
    /// Waits for processes; the projections are to be written at this moment.
    case working(RunGlance, projectAt: Timestamp?)
    case ended(RunGlance)
    /// Another process has the ledger.
    case busy(String)
    case quarantined(String)
    /// The disk refused something; to be tried again.
    case stalled(String)
    /// It fails for a reason of its own, which another try may not change.
    case failing(String)
}

/// What is remembered of a run that is at rest.
package struct RunGlance: Sendable, Hashable {
    package var status: RunStatus
    /// When the clock alone wakes it.
    package var deadline: Timestamp?
    /// When a file that may still be written has been quiet for long enough.
    package var lookAgainAt: Timestamp?
    package var openWaits: Int
    /// Whether it waits for its turn in its concurrency group.
    package var isQueued = false
    /// Whether it is in a concurrency group, so that others may have their turn when it ends.
    package var hasGroup = false
    /// The run that called this one.
    var parent: RunID?
    /// Files that were refused beyond the limit, and that the ledger does not count yet.
    var uncountedRejections: Int
    /// Answers that came early and lie in the common inbox.
    var heldCommonNames: HeldNames
    /// What it waits for in the journal.
    var events: [EventInterest]
    /// Its requests under way, which end with this process.
    var requests = 0
    /// The end of its ledger: where that has other bytes later, another process has worked on the run.
    var ledger: LedgerHead
}

/// Why a driver is woken, and what is known about it.
struct Wake: Sendable {
    /// Names in the run's inbox that are complete: moved in, or closed after writing.
    var completeNames: [FilePath.Component] = []
    /// Names in the common inbox that are addressed to this run.
    var commonNames: [FilePath.Component] = []
    /// Names in the common inbox's `.claimed/`: taken for this run, and not settled.
    var commonClaims: [FilePath.Component] = []
    /// Answers in the common inbox that cannot be taken yet.
    var unripeAnswers: [UnripeAnswer] = []
    /// Sub-runs of which something was heard.
    var children: [RunID] = []
    /// Whether projections are to be compared with what they should be.
    var restoresProjections = false

    /// Whether it is about files that have to get their receipts even where the run has ended meanwhile.
    var isAboutFiles: Bool { !completeNames.isEmpty || !commonNames.isEmpty || !commonClaims.isEmpty }

    mutating func merge(_ other: Wake) {
        completeNames += other.completeNames
        commonNames += other.commonNames
        commonClaims += other.commonClaims
        unripeAnswers += other.unripeAnswers
        children += other.children
        restoresProjections = restoresProjections || other.restoresProjections
    }
}

/// An answer's file that has not been quiet for long enough to be taken: somebody may still be writing it.
struct UnripeAnswer: Sendable {
    var key: String
    var readyAt: Timestamp
    /// How long it has to be quiet.
    var quietTime: Duration

    var changedAt: Timestamp { readyAt - quietTime }
}

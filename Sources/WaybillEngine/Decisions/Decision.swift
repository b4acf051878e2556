package import WaybillCore

/// What a stimulus leads to: entries to append as one write, and effects to carry out once they are durable.
package struct Decision: Sendable {
    /// Whole, in order; empty if nothing happened.
    package var entries: [SealedEntry] = []
    /// The lines of all entries, each with its newline: what the ledger appends.
    package var lines: [UInt8] = []
    /// To be durable before `lines` are.
    package var blobs: [Blob] = []
    package var effects: [Effect] = []
    /// Whether more can be decided at once, by a `resume`.
    package var hasMore = false

    package init() {}
}

/// An entry and the digest of its line.
package struct SealedEntry: Sendable, Hashable {
    package var entry: Entry
    package var digest: Digest

    package init(entry: Entry, digest: Digest) {
        self.entry = entry
        self.digest = digest
    }
}

/// Something to be done outside, once the decision is durable. Timers, waits and projections are no effects: the
/// runtime reads them off the state.
package enum Effect: Sendable {
    case launch(Attempt)
    /// TERM, a grace, KILL.
    case terminate(AttemptReference)
    /// KILL at once.
    case kill(AttemptReference)
    /// Makes sure that the sub-run is there that an open wait stands for.
    case startRun(waitKey: String)
    /// Tells the sub-runs of open waits what `RunState.childOrder` says.
    case instructChildren
    /// `checkpoints/<seq>.json`, with exactly these bytes.
    case writeCheckpoint(seq: Int, bytes: [UInt8])
    /// What became of the file that was the stimulus.
    case settle(Settlement)
}

/// What became of an inbox file.
package struct Settlement: Sendable, Hashable {
    package enum Verdict: Sendable, Hashable {
        case accepted
        case rejected(RefusalKind)
        /// The accepted bytes again: the first receipt stands.
        case duplicate
        /// Rejected beyond the limit: counted, and not kept.
        case counted(RefusalKind)
    }

    package var verdict: Verdict
    package var key: String
    /// The entry that says so; nil if none was written.
    package var seq: Int?
    package var message: String

    package init(verdict: Verdict, key: String, seq: Int?, message: String) {
        self.verdict = verdict
        self.key = key
        self.seq = seq
        self.message = message
    }
}

/// How many refused files a run records one by one (contract, section 7). How many bytes of them are kept is up to
/// who keeps them: a file that is not kept has its reason all the same.
package enum RejectionLimits {
    package static let count = 1_000
    package static let countedEvery = Duration.seconds(60)
}

/// The engine's own limits.
package struct EngineLimits: Sendable {
    /// Steps decided in one decision: consecutive pure steps share a sync, within bounds of memory.
    package var stepsPerDecision = 32
    /// A checkpoint is always due at a wait, pause or end while it is at most this many bytes; a larger one once the
    /// ledger has grown as much as it weighs, so that a run of many waits stays linear.
    package var smallCheckpoint = 64 << 10
    /// Elsewhere it is due when the ledger grew by this many bytes, or by so many times the last checkpoint.
    package var tail = 1 << 20
    /// All checkpoints of a long run whose outputs live on so weigh a sixth of its ledger, not a half; what a resume has
    /// more to fold for that, it folds at some 100 MB/s.
    package var tailPerCheckpoint = 6

    package init() {}
}

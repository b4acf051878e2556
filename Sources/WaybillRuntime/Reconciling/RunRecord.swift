package import WaybillCore
import WaybillEngine
import WaybillPorts

/// What the reconciler remembers of a run that has not ended.
struct RunRecord {
    enum Phase: Hashable {
        /// At rest: nothing is held for it but this record.
        case dormant
        /// Waits for one of the places of `concurrency.runs`.
        case queued
        /// Its driver looks at it right now.
        case busy
        /// Its driver waits for processes.
        case working
        /// Another process has it, or the disk refused something; it will be tried again.
        case blocked
        case quarantined
    }

    var phase = Phase.dormant
    /// Kept while the run is busy or working; a run at rest costs no lane.
    var driver: RunDriver?
    /// How often the driver was woken.
    var wakes: UInt32 = 0
    /// Whether it has one of the places of `concurrency.runs`.
    var hasPlace = false
    /// What came while the driver was busy.
    @Apart var pending: Wake?
    /// What the driver was woken for and could not do, until it has said why: the next one is told again.
    @Apart var returned: Wake?
    @Apart var glance: RunGlance?
    var watch: WatchID?
    /// The inbox's modification time at the last look, for the pass over those that are not watched.
    var inboxModified: Timestamp?
    @Apart var problem: String?
    /// Before the next try, while others or the disk keep the run.
    @Apart var retryDelay: Duration?
    /// The ledger before the last look, unless that went well: once a quarantined run has another one, it is looked at
    /// again.
    @Apart var ledgerStatus: FileStatus?
    /// How often in a row it failed for a reason of its own.
    var failures: UInt8 = 0
    /// Whether nothing opens it, whatever happens, until somebody wants it: ``OpeningMarks``.
    var isAside = false
    /// Whether this process has opened it before, and so found what an earlier one left.
    var wasOpened = false

    /// Whether nobody here has had anything to do with it.
    var isNew: Bool { driver == nil && !wasOpened }
}

/// What a reconciliation came to.
package struct SettleReport: Sendable {
    /// Runs that were looked at and are at rest, with how they stand.
    package var runs: [RunID: RunGlance] = [:]
    /// Runs that nothing could be done for, with the reason.
    package var problems: [RunID: RuntimeError] = [:]

    package init() {}
}

/// What a reconciliation is about.
package enum SettleScope: Sendable, Hashable {
    case everything
    case run(RunID)
}

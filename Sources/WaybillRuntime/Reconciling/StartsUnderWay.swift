import SystemPackage
import WaybillCore
import WaybillPorts
import WaybillStore

/// Runs that are being made for requests of the common inbox, each on a lane: a start is half a dozen syncs, and those of
/// many starts join, where one after the other they would be all that a daemon does (8 at once: 2.3 times what the plain
/// files cost; so 1.2).
struct StartsUnderWay {
    /// More are not under way at once. Their requests are in memory, so what they weigh counts as well.
    private static let most = 32
    private static let mostBytes = 8 << 20

    private struct Making {
        var lane: LaneLease
        /// Requests for this run, one after the other on its lane.
        var requests = 0
        /// Under which names they lie, or will lie, in `.claimed/`.
        var claims: Set<FilePath.Component> = []
        /// Answers that came meanwhile, in the inbox and in `.claimed/`.
        var held = Wake()
        /// Whether the tree showed the run meanwhile.
        var isSeen = false
    }

    private var runs: [RunID: Making] = [:]
    private var count = 0
    private var bytes = 0

    var isEmpty: Bool { runs.isEmpty }
    var isFull: Bool { count >= Self.most || bytes >= Self.mostBytes }
    var lanes: [Lane] { runs.values.map(\.lane.lane) }
    /// Names in `.claimed/` that are in hand.
    var claims: Set<FilePath.Component> { runs.values.reduce(into: []) { $0.formUnion($1.claims) } }

    /// - Parameter lane: gives the run's lane where none has it yet.
    mutating func begin(_ run: RunID, _ claimed: ClaimedFile, on lane: () -> LaneLease) -> LaneLease {
        var making = runs[run] ?? Making(lane: lane())
        making.requests += 1
        making.claims.insert(claimed.claimedName)
        if let fixed = Self.fixedName(of: run) { making.claims.insert(fixed) }
        runs[run] = making
        count += 1
        bytes += claimed.bytes?.count ?? 0
        return making.lane
    }

    /// - Returns: what came for the run meanwhile, and whether the tree showed it, once nobody makes it any more.
    mutating func end(_ run: RunID, _ claimed: ClaimedFile) -> (held: Wake, isSeen: Bool) {
        guard var making = runs[run] else { return (Wake(), false) }
        count -= 1
        bytes -= claimed.bytes?.count ?? 0
        making.requests -= 1
        runs[run] = making.requests > 0 ? making : nil
        return making.requests > 0 ? (Wake(), false) : (making.held, making.isSeen)
    }

    /// Notes that the tree shows a run: the journal knows it, or its folder is there. False where none is being made, and
    /// the run is somebody else's news.
    mutating func see(_ run: RunID) -> Bool {
        guard runs[run] != nil else { return false }
        runs[run]?.isSeen = true
        return true
    }

    /// Keeps answers for a run that is being made; false where none is.
    mutating func hold(_ answers: Wake, for run: RunID) -> Bool { runs[run]?.held.merge(answers) != nil }

    /// The name in `.claimed/` of a request whose run is certain.
    static func fixedName(of run: RunID) -> FilePath.Component? { FilePath.Component(run.text + ".json") }
}

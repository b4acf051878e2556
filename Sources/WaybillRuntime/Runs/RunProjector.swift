import SystemPackage
import WaybillCore
import WaybillEngine
import WaybillManifests
import WaybillPorts
import WaybillStore

/// Keeps `run.json`, `waits/` and `snapshots/` up with the ledger: at once where the run comes to rest, at most ten
/// times a second while it works. What cannot be written is tried again with the next change: none of it is truth.
struct RunProjector {
    private static let interval = Duration.milliseconds(100)

    let tree: Tree
    let folder: RunFolder
    private var isBehind = false
    private var lastWrite = Timestamp.earliest
    /// What tells a wait's file from that of an earlier one with the same key, or with fewer answers.
    private struct WaitMark: Equatable {
        var token: Digest?
        var answers: Int
    }

    /// The waits that have a file, as far as this session knows; nil before it looked.
    private var projectedWaits: [String: WaitMark?]?
    private var projectedSnapshots: Set<String>?
    /// Whether snapshots that are there may hold something else: they were to be compared, and could not be.
    private var hasDoubtfulSnapshots = false

    init(tree: Tree, folder: RunFolder) {
        self.tree = tree
        self.folder = folder
    }

    /// Something was decided.
    mutating func note() { isBehind = true }

    /// The run was just made, with all that it shows of this state.
    mutating func noteNew(_ state: RunState) {
        projectedWaits = state.waits.mapValues(Self.mark)
        projectedSnapshots = Set(state.snapshots.keys)
        lastWrite = tree.clock.now()
    }

    /// When the projections are to be written next; nil if they are up to date.
    func dueAt(_ state: RunState, now: Timestamp) -> Timestamp? {
        isBehind ? max(now, lastWrite + Self.interval) : nil
    }

    /// Writes what is behind. What cannot be written stays behind, and is tried again with the next change.
    ///
    /// - Returns: whether everything is up to date now.
    @discardableResult
    mutating func write(_ state: RunState, now: Timestamp) -> Bool {
        guard isBehind else { return true }
        lastWrite = now
        do throws(StoreError) {
            try writeWaits(state)
            try writeSnapshots(state)
            // Last, so that whoever sees a run wait also sees what it waits for.
            try folder.project(RunFolder.glance, RunProjection.bytes(state))
            isBehind = false
            return true
        } catch {
            // Nobody knows what is there now: the next one looks.
            projectedWaits = nil
            projectedSnapshots = nil
            return false
        }
    }

    private mutating func writeWaits(_ state: RunState) throws(StoreError) {
        var known = projectedWaits ?? [:]
        if projectedWaits == nil {
            for key in try presentNames(in: RunFolder.waits) { known[key] = .some(nil) }
        }
        for key in known.keys where state.waits[key] == nil { try folder.unproject(RunFolder.wait(key)) }
        for (key, wait) in state.waits where known[key] != .some(Self.mark(wait)) {
            try folder.project(RunFolder.wait(key), WaitProjection.bytes(wait, run: state.id))
        }
        projectedWaits = state.waits.mapValues(Self.mark)
    }

    private static func mark(_ wait: WaitState) -> WaitMark {
        WaitMark(token: wait.token, answers: wait.votes.count)
    }

    private mutating func writeSnapshots(_ state: RunState) throws(StoreError) {
        guard !state.snapshots.isEmpty else { return }
        var known = projectedSnapshots ?? []
        if projectedSnapshots == nil, !hasDoubtfulSnapshots { known = try presentNames(in: RunFolder.snapshots) }
        for (name, snapshot) in state.snapshots where !known.contains(name) {
            let bytes = SnapshotProjection.bytes(snapshot, run: state.id, workflow: state.definition.name)
            try folder.projectIfChanged(RunFolder.snapshot(name), bytes)
        }
        projectedSnapshots = Set(state.snapshots.keys)
        hasDoubtfulSnapshots = false
    }

    private func presentNames(in path: FilePath) throws(StoreError) -> Set<String> {
        let names = try folder.names(in: path)
        return Set(names.filter { $0.hasSuffix(".json") }.map { String($0.dropLast(5)) })
    }

    // MARK: - Restoring

    /// Compares every projection with what it should be, and writes those that differ. What cannot be written is behind.
    ///
    /// - Returns: false if what answers and checkpoints leave should have been made anew, and was not.
    mutating func restore(_ state: RunState, missingCheckpoint: Bool) -> Bool {
        _ = try? folder.sweep()
        lastWrite = tree.clock.now()
        do throws(StoreError) {
            try restoreFiles(state)
            projectedWaits = state.waits.mapValues(Self.mark)
            projectedSnapshots = Set(state.snapshots.keys)
            isBehind = false
        } catch {
            projectedWaits = nil
            projectedSnapshots = nil
            hasDoubtfulSnapshots = true
            isBehind = true
        }
        guard missingCheckpoint || isReceiptMissing(state) else { return true }
        let rebuild = RunRebuild(
            tree: tree, folder: folder, definition: state.definition, genesis: state.definitionDigest)
        return (try? rebuild.restore()) != nil
    }

    private func restoreFiles(_ state: RunState) throws(StoreError) {
        for name in try presentNames(in: RunFolder.waits) where state.waits[name] == nil {
            try folder.unproject(RunFolder.wait(name))
        }
        for projection in state.projections { try folder.projectIfChanged(projection.path, projection.bytes) }
    }

    /// Whether `accepted/` is gone though answers were accepted. One missing file in it is found by `verify --deep`.
    private func isReceiptMissing(_ state: RunState) -> Bool {
        guard state.closedWaits.all.contains(where: { $0.answer != nil }) else { return false }
        return (try? folder.directory.status(RunFolder.inbox.appending("accepted"))) == nil
    }
}

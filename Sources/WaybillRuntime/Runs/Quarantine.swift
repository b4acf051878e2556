import WaybillCore
import WaybillEngine
import WaybillStore

/// Says in `run.json` that a run is quarantined, so that `ls` and `jq` find it.
struct Quarantine {
    private static let largestGlance = 16 << 20

    let tree: Tree
    let run: RunID
    let definitions: DefinitionCache

    func project(_ reason: String) {
        guard let folder = try? tree.runs.open(run) else { return }
        let glance = (try? folder.read(RunFolder.glance, limit: Self.largestGlance)).flatMap { $0 }
            .flatMap { try? JSON.parse($0) }
        let bytes = glance.flatMap { RunProjection.quarantined($0, reason: reason) } ?? rebuilt(folder, reason)
        // It is a projection: what cannot be written now is written when the run is looked at again.
        if let bytes { _ = try? folder.projectIfChanged(RunFolder.glance, bytes) }
    }

    /// From what still verifies, where no earlier glance is there.
    private func rebuilt(_ folder: RunFolder, _ reason: String) -> [UInt8]? {
        guard let definition = try? definitions.definition(of: run, in: tree) else { return nil }
        let rebuild = RunRebuild(
            tree: tree, folder: folder, definition: definition.workflow, genesis: definition.digest)
        guard let report = try? rebuild.fold({ _ in }), report.state.seq > 0 else { return nil }
        return RunProjection.bytes(report.state, quarantine: reason)
    }
}

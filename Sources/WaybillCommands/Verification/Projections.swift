import Glibc
import SystemPackage
import WaybillCore
import WaybillEngine
import WaybillPorts
import WaybillRuntime
import WaybillStore

/// Folds a ledger and compares what follows from it with what is there, and looks for what it names in artifacts.
struct Projections {
    /// While a run works its projections are a moment behind: so often is looked again.
    private static let patience = 20
    private static let pauseMicroseconds: UInt32 = 50_000
    /// No more findings of one run are told.
    private static let limit = 100

    let tree: Tree
    let folder: RunFolder

    func compare(into report: inout ChainReport) throws(StoreError) {
        let definition: RunDefinition
        do throws(RuntimeError) {
            definition = try DefinitionCache().definition(of: folder.run, in: tree)
        } catch {
            report.findings.append(Finding(kind: "definition", message: error.message))
            return
        }
        let rebuild = RunRebuild(
            tree: tree, folder: folder, definition: definition.workflow, genesis: definition.digest)
        // In the same pass as the first look: to read a long ledger is most of what both take. What a ledger names is
        // there before it does, so that one look is enough.
        var payloads = PayloadCheck(tree: tree, folder: folder)
        var findings = try look(rebuild) { payloads.take($0) }
        report.findings += try payloads.findings()
        // What is missing explains what does not follow.
        guard report.isOK else { return }
        for _ in 1..<Self.patience {
            if !findings.contains(where: \.isError) || isAtRest { break }
            usleep(Self.pauseMicroseconds)
            findings = try look(rebuild)
        }
        report.findings += findings.prefix(Self.limit)
    }

    /// Whether nobody holds the ledger: then nothing is on its way any more.
    private var isAtRest: Bool {
        guard let ledger = try? folder.directory.open(RunFolder.ledger, .readWrite) else { return true }
        defer { ledger.close() }
        return (try? ledger.lock()) != nil
    }

    private func look(
        _ rebuild: RunRebuild, visiting visit: (Entry) -> Void = { _ in }
    ) throws(StoreError) -> [Finding] {
        var findings: [Finding] = []
        var paths: Set<FilePath> = []
        let result = try rebuild.everything(visiting: visit) { projection in
            paths.insert(projection.path)
            if let finding = difference(projection) { findings.append(finding) }
        }
        if let fault = result.fault {
            findings.insert(Finding(kind: "fold", message: fault.message, seq: fault.seq), at: 0)
        }
        for name in try folder.names(in: RunFolder.waits) where !paths.contains(RunFolder.waits.appending(name)) {
            findings.append(
                Finding(kind: "projection", message: "the ledger knows no such wait", path: "waits/\(name)"))
        }
        return findings
    }

    private func difference(_ projection: Projection) -> Finding? {
        let path = projection.path
        let isCheckpoint = path.starts(with: RunFolder.checkpoints)
        guard let bytes = try? folder.read(path, limit: max(projection.bytes.count * 2, 16 << 20)) else {
            // Old checkpoints are pruned.
            if isCheckpoint { return nil }
            return Finding(
                kind: "projection", message: "it is missing or unreadable; `waybill reconcile` writes it again",
                path: path.string)
        }
        guard bytes != projection.bytes else { return nil }
        let same = zip(bytes, projection.bytes).prefix { $0 == $1 }.count
        return Finding(
            kind: isCheckpoint ? "checkpoint" : "projection",
            message: "it does not follow from the ledger, from byte \(same) on; "
                + "delete it, and `waybill reconcile` writes it again",
            path: path.string)
    }
}

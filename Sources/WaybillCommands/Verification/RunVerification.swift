import Glibc
import SystemPackage
import WaybillCore
import WaybillEngine
import WaybillPorts
import WaybillRuntime
import WaybillStore

/// Checks one run against everything that is known about it: its definition, the heads in `run.json`, checkpoints and
/// the journal, and with `deep` every projection, byte for byte. It takes no lock and changes nothing.
struct RunVerification {
    /// A writer may be in the middle of a line: an unfinished one is looked at so often before it counts.
    private static let patience = 25
    private static let pauseMicroseconds: UInt32 = 20_000
    private static let projectionLimit = 256 << 20

    let tree: Tree
    let folder: RunFolder
    let journal: JournalKnowledge
    var vouchers = Vouchers()

    func report(deep: Bool) throws(StoreError) -> ChainReport {
        var report = ChainReport(name: folder.run.text)
        report.isDeep = deep
        guard let index = try folder.read(RunFolder.index, limit: RunFolders.largestSource) else {
            report.findings.append(
                Finding(
                    kind: "definition", message: "is missing, so that nothing can vouch for the ledger",
                    path: "definition/index.json"))
            return report
        }
        let genesis = Digest.sha256(index)
        checkDefinition(&report)
        // What was brought along counts before what lies in the tree.
        var known = vouchers.heads[folder.run] ?? [:]
        for head in [recordedEnd, glanceHead()] + checkpointHeads(&report) {
            guard let head else { continue }
            if let other = known[head.seq], other != head.digest {
                report.findings.append(
                    Finding(kind: "head", message: "two heads are known for it, and they differ", seq: head.seq))
            }
            known[head.seq] = known[head.seq] ?? head.digest
        }
        report.take(try verdict(genesis, known))
        if vouchers.asksForSignatures {
            var audit = SignatureAudit(trusting: vouchers.trusted)
            _ = try tree.ledgers.scan(folder.run, from: .start(genesis: genesis), knownHeads: [:]) {
                audit.take($0.entry)
            }
            SignatureFindings(audit: audit).add(to: &report, run: folder.run, journal)
        }
        if deep, report.isOK { try Projections(tree: tree, folder: folder).compare(into: &report) }
        return report
    }

    private func verdict(_ genesis: Digest, _ known: [Int: Digest]) throws(StoreError) -> LedgerVerdict {
        var last: LedgerVerdict?
        for _ in 0..<Self.patience {
            let verdict = try tree.ledgers.verify(folder.run, from: .start(genesis: genesis), knownHeads: known)
            guard case .torn = verdict, verdict != last || last == nil else { return verdict }
            last = verdict
            usleep(Self.pauseMicroseconds)
        }
        return try tree.ledgers.verify(folder.run, from: .start(genesis: genesis), knownHeads: known)
    }

    // MARK: - What else is known

    private func checkDefinition(_ report: inout ChainReport) {
        do throws(StoreError) {
            _ = try tree.runs.definition(of: folder.run)
        } catch {
            report.findings.append(Finding(kind: "definition", message: error.message))
        }
    }

    private struct Head {
        var seq: Int
        var digest: Digest
    }

    /// The head that the journal holds for a run that ended.
    private var recordedEnd: Head? {
        journal.index.runs[folder.run]?.ended.map { Head(seq: $0.headSeq, digest: $0.head) }
    }

    /// `run.json` vouches for its head only if the ledger was synced before it was written.
    private func glanceHead() -> Head? {
        guard let bytes = try? folder.read(RunFolder.glance, limit: 16 << 20), let glance = try? JSON.parse(bytes),
            glance["durability"]?.stringValue != "relaxed",
            let seq = glance["ledger"]?["seq"]?.intValue, seq > 0,
            let head = glance["ledger"]?["head"]?.stringValue.flatMap(Digest.init(hex:))
        else { return nil }
        return Head(seq: Int(seq), digest: head)
    }

    /// The heads in checkpoints that the ledger vouches for. Others are no checkpoints: they are passed over, and said.
    private func checkpointHeads(_ report: inout ChainReport) -> [Head?] {
        guard let numbers = try? tree.checkpoints.numbers(run: folder.run),
            let ledger = try? folder.directory.open(RunFolder.ledger, .read)
        else { return [] }
        defer { ledger.close() }
        return numbers.map { seq in
            let path = RunFolder.checkpoints.appending("\(seq).json")
            guard let bytes = try? folder.read(path, limit: Self.projectionLimit), let value = try? JSON.parse(bytes),
                let offset = value["bytes"]?.intValue, let entry = Self.line(of: ledger, at: offset),
                entry.seq == seq + 1, entry.type == .checkpoint,
                entry.data["sha256"] == .string(Digest.sha256(bytes).hex)
            else {
                report.findings.append(
                    Finding(
                        kind: "checkpoint",
                        message: "it is not the checkpoint that the ledger names, and is passed over",
                        path: path.string, isError: false))
                return nil
            }
            return Head(seq: seq, digest: entry.prev)
        }
    }

    private static func line(of ledger: any File, at offset: Int64) -> Entry? {
        guard let bytes = try? ledger.read(at: offset, count: 65_536),
            let end = bytes.firstIndex(of: UInt8(ascii: "\n"))
        else { return nil }
        return bytes[..<end].withUnsafeBytes { try? EntryCodec.parse($0) }
    }
}

import SystemPackage
import WaybillCore
import WaybillEngine
import WaybillPorts
import WaybillRuntime
import WaybillStore

/// The journal, and the runs it says there are.
struct JournalVerification {
    let tree: Tree
    var vouchers = Vouchers()

    func report() throws(StoreError) -> (report: ChainReport, journal: JournalKnowledge) {
        var report = ChainReport(name: "journal")
        report.take(try tree.journal.verify(knownHeads: vouchers.journalHeads))
        guard report.isOK else { return (report, JournalKnowledge()) }
        var journal = JournalKnowledge(index: try tree.journal.index(following: true))
        if vouchers.asksForSignatures { try checkSignatures(&report, &journal) }
        findRemovedRuns(journal.index, &report)
        return (report, journal)
    }

    private func checkSignatures(
        _ report: inout ChainReport, _ journal: inout JournalKnowledge
    ) throws(StoreError) {
        var audit = SignatureAudit(trusting: vouchers.trusted)
        _ = try tree.journal.read(from: .beginning) { audit.take($0.entry) }
        SignatureFindings(audit: audit).add(to: &report)
        if let first = audit.first, let last = audit.last { journal.signed = first...last }
        guard audit.last == nil, audit.lastSeq > 0 else { return }
        report.findings.append(
            Finding(
                kind: "unsigned",
                message: "no trusted key vouches for any of it: it was written anew, or nothing was started or ended "
                    + "since signing was turned on"))
    }

    private func findRemovedRuns(_ index: JournalIndex, _ report: inout ChainReport) {
        for (run, entry) in index.runs.sorted(by: { $0.key < $1.key }) where !entry.isPruned && !isThere(run) {
            if let end = entry.ended {
                report.findings.append(
                    Finding(kind: "removed", message: "run \(run) ended here, and its folder is gone", seq: end.seq))
            } else {
                // A member of a group is noted before its folder is there, so that its start may have been interrupted.
                report.findings.append(
                    Finding(
                        kind: "removed", message: "run \(run) started here, and its folder is gone",
                        seq: entry.started, isError: vouchers.asksForSignatures || vouchers.heads[run] != nil))
            }
        }
        for run in vouchers.heads.keys.sorted() where index.runs[run] == nil && !isThere(run) {
            report.findings.append(
                Finding(kind: "removed", message: "a head of run \(run) is known, and there is no such run"))
        }
    }

    private func isThere(_ run: RunID) -> Bool { (try? tree.runsDirectory.status(FilePath(run.text))) != nil }
}

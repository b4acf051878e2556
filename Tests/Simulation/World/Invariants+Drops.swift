import SystemPackage
import WaybillCore
import WaybillPorts
import WaybillRuntime
import WaybillStore

extension Invariants {
    /// Every file that was dropped is in one place, with a receipt.
    mutating func checkDrops(_ tree: Tree, _ journal: JournalBook, _ books: [String: RunBook]) {
        var receipts: [String: [Value]] = [:]
        for kind in ["accepted", "rejected"] {
            collect("inbox", kind, tree, &receipts)
            for (run, book) in books { collect("\(run)/inbox", kind, after: book.lastCopied, tree, &receipts) }
        }
        for drop in world.outside.people.drops { check(drop, receipts[drop.name] ?? [], tree, journal, books) }
    }

    /// - Parameter seq: receipts of entries up to there are those of the run whose past was copied.
    private func collect(
        _ inbox: String, _ kind: String, after seq: Int = 0, _ tree: Tree, _ receipts: inout [String: [Value]]
    ) {
        let folder = "\(inbox)/\(kind)"
        let entries = (try? tree.runsDirectory.entries(FilePath(folder), limit: 10_000)) ?? []
        for entry in entries where entry.name.string.hasSuffix(".reason.json") {
            guard let receipt = world.json("\(folder)/\(entry.name.string)", in: tree.runsDirectory),
                let file = receipt["file"]?.stringValue, receipt["seq"]?.intValue ?? .max > seq
            else { continue }
            receipts[file, default: []].append(receipt)
        }
    }

    private mutating func check(
        _ drop: Drop, _ receipts: [Value], _ tree: Tree, _ journal: JournalBook, _ books: [String: RunBook]
    ) {
        let hadPowerLoss = world.outside.boot > 1
        if receipts.count == 1 { return }
        if receipts.count > 1 {
            // What was judged and not synced may lie in the inbox again after the power was gone.
            if !hadPowerLoss { found.append("\(drop.name) has \(receipts.count) receipts") }
            return
        }
        guard !hadPowerLoss || drop.isSynced else { return }
        // Rejected files are records: a power loss may take them, and leaves the entry that says so.
        if hadPowerLoss, journal.refused.contains(drop.name) { return }
        // Start requests and events go without a receipt when they are taken.
        guard let run = drop.run else { return }
        // What comes after the end is looked at by the next daemon.
        if books[run]?.hasEnded == true, isUnread(drop.name, of: run, tree) { return }
        let digest = Digest.sha256(drop.bytes).hex
        if hadPowerLoss, books[run]?.judged[drop.name] != nil { return }
        if books[run]?.accepted[drop.key]?.contains(digest) == true { return }
        found.append("\(drop.name) is gone without a receipt")
    }

    private func isUnread(_ name: String, of run: String, _ tree: Tree) -> Bool {
        ((try? tree.runsDirectory.status(FilePath("\(run)/inbox/\(name)"))) ?? nil) != nil
    }
}

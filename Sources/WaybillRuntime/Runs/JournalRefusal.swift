import SystemPackage
import WaybillCore
import WaybillEngine
import WaybillManifests
import WaybillPorts
import WaybillStore

/// Refusals that no run records: in the journal, with a receipt.
struct JournalRefusal {
    let tree: Tree

    /// Says how many files were refused and not kept.
    func count(_ count: Int, type: EntryType, run: RunID? = nil) throws(RuntimeError) {
        var data: Object = ["count": .int(Int64(count))]
        if let run { data["run"] = .string(run.text) }
        do throws(StoreError) {
            _ = try tree.journal.append([EntryDraft(type, data: data)], at: tree.clock.now())
        } catch {
            throw RuntimeError(error)
        }
    }

    func refuse(
        _ claimed: ClaimedFile, of door: InboxDoor, into receipts: InboxReceipts, type: EntryType, kind: RefusalKind,
        message: String, run: RunID? = nil, diagnostics: [Diagnostic] = [], verdict: Object? = nil
    ) throws(RuntimeError) {
        var data: Object = [
            "file": .string(claimed.escapedName), "size": .int(claimed.status.size),
            "changedAt": .string(claimed.changed.description), "uid": .int(Int64(claimed.status.userID)),
            "kind": .string(kind.rawValue), "message": .string(message),
        ]
        if let run { data["run"] = .string(run.text) }
        if let user = claimed.user { data["user"] = .string(user) }
        if let digest = claimed.sha256 { data["sha256"] = .string(digest.hex) }
        if !diagnostics.isEmpty { data["diagnostics"] = .list(diagnostics.prefix(20).map(\.value)) }
        data["verdict"] = verdict.map(Value.object)
        do throws(StoreError) {
            let earlier = claimed.isLeftover ? try earlierRefusal(of: claimed, type) : nil
            let draft = EntryDraft(type, actor: .user, by: claimed.user, data: data)
            var entries = [earlier].compactMap { $0 }
            if entries.isEmpty { entries = try tree.journal.append([draft], at: tree.clock.now()) }
            guard let entry = entries.first else { return }
            _ = try receipts.reject(claimed, of: door, receipt: Receipt(entry, .rejected))
        } catch {
            throw RuntimeError(error)
        }
    }

    /// The entry of a refusal that was cut short before the file was moved.
    private func earlierRefusal(of claimed: ClaimedFile, _ type: EntryType) throws(StoreError) -> Entry? {
        var found: Entry?
        _ = try tree.journal.read(from: .beginning) { item in
            let entry = item.entry
            guard entry.type == type, entry.data["file"]?.stringValue == claimed.escapedName,
                entry.data["changedAt"]?.stringValue == claimed.changed.description,
                entry.data["sha256"]?.stringValue == claimed.sha256?.hex
            else { return }
            found = entry
        }
        return found
    }
}

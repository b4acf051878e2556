import SystemPackage
import WaybillCore
import WaybillEngine
import WaybillPorts
import WaybillStore

/// Moves a judged file to where its receipt says it is. Everything here follows from entries, and may be repeated.
struct InboxSettling {
    let session: RunSession
    let door: InboxDoor

    func settle(_ claimed: ClaimedFile, _ settlement: Settlement) throws(RuntimeError) {
        do throws(StoreError) {
            switch settlement.verdict {
            case .accepted: try accept(claimed, settlement)
            case .duplicate:
                if let seq = settlement.seq, try !isReceiptThere(claimed, seq, settlement.key) {
                    try session.restoreReceipts()
                }
                try discard(claimed)
            case .rejected(let kind):
                let receipt = Receipt(
                    claimed, .rejected, kind: kind.rawValue, message: settlement.message,
                    at: session.state.lastTimestamp, seq: settlement.seq)
                _ = try session.receipts.reject(claimed, of: door, receipt: receipt)
            case .counted: try discard(claimed)
            }
        } catch {
            throw RuntimeError(error)
        }
    }

    /// Settles a file whose entry was written before its last owner was stopped.
    func settle(_ claimed: ClaimedFile, by entry: Entry) throws(RuntimeError) {
        do throws(StoreError) {
            if entry.type == .answerAccepted {
                // The file goes once its receipt is there, and not before.
                try session.restoreReceipts()
                try discard(claimed)
            } else {
                _ = try session.receipts.reject(claimed, of: door, receipt: Receipt(entry, .rejected))
            }
        } catch {
            throw RuntimeError(error)
        }
    }

    private func accept(_ claimed: ClaimedFile, _ settlement: Settlement) throws(StoreError) {
        guard let seq = settlement.seq, let bytes = claimed.bytes,
            let entry = session.acceptedEntry(seq), let receipt = Receipt(accepting: entry),
            let name = AcceptedName.of(entry)
        else { return try discard(claimed) }
        try session.receipts.accept(as: name, bytes: bytes, receipt: receipt)
        try discard(claimed)
    }

    private func isReceiptThere(_ claimed: ClaimedFile, _ seq: Int, _ key: String) throws(StoreError) -> Bool {
        try session.receipts.hasAccepted(InboxReceipts.acceptedName(seq: seq, key: key, file: claimed.name))
    }

    private func discard(_ claimed: ClaimedFile) throws(StoreError) {
        do throws(FileSystemError) {
            try door.discard(claimed)
        } catch {
            throw StoreError(error)
        }
    }
}

/// The files a ledger has judged, for those that were found claimed: none may be judged twice.
struct SettledFiles {
    private struct Key: Hashable {
        var file: String
        var changedAt: String
        var digest: String?
    }

    private let entries: [Key: Entry]

    init(_ session: RunSession) throws(RuntimeError) {
        var entries: [Key: Entry] = [:]
        do throws(StoreError) {
            _ = try session.tree.ledgers.scan(
                session.run, from: .start(genesis: session.state.definitionDigest), knownHeads: [:]
            ) { item in
                let entry = item.entry
                guard entry.type == .answerAccepted || entry.type == .answerRejected,
                    let file = entry.data["file"]?.stringValue, let changedAt = entry.data["changedAt"]?.stringValue
                else { return }
                entries[Key(file: file, changedAt: changedAt, digest: entry.data["sha256"]?.stringValue)] = entry
            }
        } catch {
            throw RuntimeError(error)
        }
        self.entries = entries
    }

    func entry(of claimed: ClaimedFile) -> Entry? {
        entries[
            Key(
                file: claimed.escapedName, changedAt: claimed.changed.description, digest: claimed.sha256?.hex)]
    }
}

extension InboxFile {
    /// The name of an answer or control file, as dropped in a run's inbox or addressed in the common one.
    static func answerName(_ name: FilePath.Component, isCommon: Bool) -> AnswerName? {
        // A name that is no UTF-8 gets its escaped form, which is nobody's key.
        let text = ClaimedFile.escaped(name)
        return isCommon ? AnswerName.addressed(text)?.name : AnswerName(file: text)
    }

    init(_ claimed: ClaimedFile, _ name: AnswerName) {
        let content: Content
        switch claimed.content {
        case .bytes(let bytes, _): content = .bytes(bytes)
        case .refused(let refusal):
            content = .refused(RefusalKind(rawValue: refusal.kind.rawValue) ?? .type, refusal.message)
        }
        self.init(
            name: name, content: content, digest: claimed.sha256, size: Int(claimed.status.size),
            uid: Int(claimed.status.userID), user: claimed.user, changedAt: claimed.changed)
        permissions = claimed.status.permissions
    }
}

import SystemPackage
import WaybillCore
import WaybillEngine
import WaybillPorts
import WaybillRuntime
import WaybillStore

/// Puts an answer or a control file into a run's inbox, as anybody could, and waits for its receipt: from the daemon, or
/// from this process, which then drives the run itself.
struct Delivery: Sendable {
    let tree: Tree
    let folder: RunFolder
    /// A wait's key, or `@pause` and the like.
    let key: String
    let bytes: [UInt8]
    /// For messages: `the answer to approve`.
    let what: String

    /// - Returns: the receipt, of whatever verdict.
    /// - Throws: ``CommandError``, with `tryAgain` if nobody has looked at the file, or after SIGTERM or SIGINT.
    func deliver() async throws -> DropReceipt {
        try await Interruption.ending { try await dropAndWait() }
    }

    private func dropAndWait() async throws -> DropReceipt {
        try folder.directory.createDirectories(RunFolder.inbox)
        guard let inbox = try folder.directory.openDirectory(RunFolder.inbox) else {
            throw CommandError("unknown-run", "the run \(folder.run) is gone")
        }
        let name = "\(key)--\(String(UInt64.random(in: 0 ... .max), radix: 36)).json"
        let permissions = Mailbox.permissions(inInbox: try folder.directory.status(RunFolder.inbox))
        try Mailbox.drop(name, bytes, into: inbox, permissions: permissions)
        if tree.hasDaemon, let receipt = try await receipt(name, in: inbox) { return receipt }
        guard mayReadReceipts(inbox) else { throw unknownOutcome(name, in: inbox) }
        // There is no daemon, or it does not answer: whoever gets the ledger's lock may go on.
        let complete = [name].compactMap { FilePath.Component($0) }
        let report = try await Driving(tree: tree).settle(.run(folder.run), complete: complete)
        let driven = report.problems[folder.run]
        if let driven, driven.code != .busy { throw CommandError(driven) }
        if let receipt = try await receipt(name, in: inbox) { return receipt }
        throw CommandError(
            "busy", driven?.message ?? "nobody has looked at \(what) in \(Text.span(Patience.forDaemon))",
            place: "runs/\(folder.run)/inbox/\(name)",
            hint: "the file stays there, and is judged as soon as somebody works on the run", status: .tryAgain)
    }

    private func receipt(_ name: String, in inbox: any Directory) async throws -> DropReceipt? {
        let receipts = Receipts(inbox)
        let digest = Digest.sha256(bytes)
        let reader = GlanceReader(tree)
        return try await Patience.poll(limit: Patience.forDaemon) { () -> DropReceipt? in
            // As long as it lies there nobody has judged it, and nobody will once the run has ended.
            if try inbox.status(FilePath(name)) != nil {
                let glance = reader.glance(folder)
                // Whoever takes the file away decides: what was claimed just now gets its receipt.
                guard glance.isEnded, try inbox.remove(FilePath(name)) else { return nil }
                throw CommandError(
                    "ended", "\(folder.run) is \(glance.status) meanwhile: \(what) came too late",
                    hint: "nothing was changed")
            }
            guard mayReadReceipts(inbox) else { return visibleAcceptance(reader) }
            return try receipts.rejected(name) ?? receipts.accepted(name, key: key, digest: digest)
        }
    }
}

// Somebody of the group that the inboxes are open to sees the questions, and no receipts.
extension Delivery {
    private func mayReadReceipts(_ inbox: any Directory) -> Bool {
        do throws(FileSystemError) {
            _ = try inbox.listing("accepted")
            return true
        } catch {
            return error.code != .denied
        }
    }

    /// What says that a file was accepted to those who may not read its receipt: the question is answered, or counts this
    /// answer; a control file has changed what the next one must name.
    private func visibleAcceptance(_ reader: GlanceReader) -> DropReceipt? {
        let accepted = DropReceipt(object: ["verdict": "accepted", "kind": .null])
        let token = (try? JSON.parse(bytes))?["token"]?.stringValue
        let glance = reader.glance(folder)
        if glance.isEnded { return accepted }
        if key.hasPrefix("@") { return glance.controlToken == token ? nil : accepted }
        guard let wait = reader.waits(folder).first(where: { $0.key == key }), wait.token == token else {
            return accepted
        }
        let digest = Digest.sha256(bytes).hex
        let isCounted = (wait.object["answers"]?.listValue ?? []).contains { $0["sha256"]?.stringValue == digest }
        return isCounted ? accepted : nil
    }

    private func unknownOutcome(_ name: String, in inbox: any Directory) -> CommandError {
        if (try? inbox.status(FilePath(name))) != nil {
            return CommandError(
                "busy", "nobody has looked at \(what) in \(Text.span(Patience.forDaemon))",
                place: "runs/\(folder.run)/inbox/\(name)",
                hint: "the file stays there, and is judged as soon as somebody works on the run", status: .tryAgain)
        }
        return CommandError(
            "rejected", "\(what) was taken in and not accepted",
            hint: "the reason lies in inbox/rejected/, which whoever runs Waybill can read")
    }
}

extension Delivery {
    /// Delivers, says what came of it, and ends the command accordingly.
    ///
    /// - Parameters:
    ///   - done: what was done, for people; of the entry that the delivery led to, if `entryType` names one.
    ///   - entryType: the type of that entry; its name is a member of what programs get.
    func carryOut(_ console: Console, entryType: EntryType? = nil, done: (Entry?) -> String) async throws {
        let receipt = try await deliver()
        guard receipt.isAccepted else { throw receipt.error(about: what) }
        let outcome = try entryType.flatMap { try entry($0, behind: receipt) }
        let glance = GlanceReader(tree).glance(folder)
        var object = receipt.object
        object["run"] = .string(folder.run.text)
        object["key"] = .string(key)
        if let name = outcome?.data["name"] { object["name"] = name }
        // A daemon may be about to write what became of the run: what stands there now is of before.
        let isCurrent = receipt.seq.map { glance.ledgerSeq >= $0 } ?? false
        object["status"] = isCurrent ? .string(glance.status) : .null
        let number = receipt.seq.map { " (entry \($0))" } ?? ""
        console.print(
            .object(object),
            text: "\(done(outcome))\(number)" + (isCurrent ? "; \(folder.run) is \(glance.status)" : ""))
    }

    /// The first entry of a type that follows the one of the receipt: both are of one decision.
    private func entry(_ type: EntryType, behind receipt: DropReceipt) throws -> Entry? {
        guard let seq = receipt.seq else { return nil }
        var follower = try LedgerFollower(folder)
        return try follower.next().entries.first { $0.seq > seq && $0.type == type }
    }
}

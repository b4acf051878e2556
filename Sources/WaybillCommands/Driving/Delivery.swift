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
    /// - Throws: ``CommandError``, with `tryAgain` if nobody has looked at the file.
    func deliver() async throws -> DropReceipt {
        try folder.directory.createDirectories(RunFolder.inbox)
        guard let inbox = try folder.directory.openDirectory(RunFolder.inbox) else {
            throw CommandError("unknown-run", "the run \(folder.run) is gone")
        }
        let name = "\(key)--\(String(UInt64.random(in: 0 ... .max), radix: 36)).json"
        try Mailbox.drop(name, bytes, into: inbox)
        if tree.hasDaemon, let receipt = try await receipt(name, in: inbox) { return receipt }
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
        return try await Patience.poll(limit: Patience.forDaemon) { () -> DropReceipt? in
            // As long as it lies there nobody has judged it.
            guard try inbox.status(FilePath(name)) == nil else { return nil }
            return try receipts.rejected(name) ?? receipts.accepted(name, key: key, digest: digest)
        }
    }
}

extension Delivery {
    /// Delivers, says what came of it, and ends the command accordingly.
    func carryOut(_ console: Console, done: String) async throws {
        let receipt = try await deliver()
        guard receipt.isAccepted else { throw receipt.error(about: what) }
        let glance = GlanceReader(tree).glance(folder)
        var object = receipt.object
        object["run"] = .string(folder.run.text)
        object["key"] = .string(key)
        // A daemon may be about to write what became of the run: what stands there now is of before.
        let isCurrent = receipt.seq.map { glance.ledgerSeq >= $0 } ?? false
        object["status"] = isCurrent ? .string(glance.status) : .null
        let entry = receipt.seq.map { " (entry \($0))" } ?? ""
        console.print(
            .object(object), text: "\(done)\(entry)" + (isCurrent ? "; \(folder.run) is \(glance.status)" : ""))
    }
}

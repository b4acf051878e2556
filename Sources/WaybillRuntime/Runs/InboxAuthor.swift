import SystemPackage
import WaybillCore
import WaybillEngine
import WaybillManifests
import WaybillPorts
import WaybillStore

/// Finds out what the machine knows of whoever wrote a file, where somebody asks who it was.
struct InboxAuthor {
    /// The largest file of allowed signers that is read, in bytes.
    private static let largestSigners = 4 << 20
    /// The largest signature that is compared, in bytes; those of the largest keys have some 4,000.
    private static let largestSignature = 16 << 10

    let tree: Tree
    let session: RunSession

    /// The rules that a file with this name is judged by.
    func rules(for name: AnswerName) -> [AnswererRule] {
        if name.isControl { return session.state.control }
        return session.state.waits[name.key]?.from.map { [$0] } ?? []
    }

    /// Completes a file with its author. Nothing is asked of the machine where no rule wants to know.
    ///
    /// - Parameter signature: the file `<name>.sig` that was claimed with it.
    func complete(_ file: inout InboxFile, signature: ClaimedFile?, now: Timestamp) {
        let rules = rules(for: file.name)
        guard !rules.isEmpty, case .bytes(let bytes) = file.content else {
            // Orders of a parent are asked for by nobody's rule.
            file.isOwnUser = isOwn(UInt32(truncatingIfNeeded: file.uid))
            return
        }
        let userID = UInt32(truncatingIfNeeded: file.uid)
        file.isOwnUser = isOwn(userID)
        file.groups = Accounts.groups(among: rules.flatMap(\.groups), of: userID)
        let names = rules.flatMap(\.signers)
        guard !names.isEmpty, let signature else { return }
        compare(bytes, signature, names, now, into: &file)
    }

    private func compare(
        _ bytes: [UInt8], _ signature: ClaimedFile, _ names: [String], _ now: Timestamp, into file: inout InboxFile
    ) {
        guard let armoured = signature.bytes, armoured.count <= Self.largestSignature else {
            let why = signature.refusal?.message ?? "it is larger than any signature"
            file.signature = .refused("\(signature.escapedName): \(why)")
            return
        }
        guard let path = session.engine.definition.settings.signers,
            let content = try? tree.root.read(FilePath(path), limit: Self.largestSigners)
        else {
            let path = session.engine.definition.settings.signers ?? "none is named by the settings"
            file.signature = .refused("the file of allowed signers cannot be read: \(path)")
            return
        }
        let allowed = AllowedSigners(content)
        file.signersDigest = allowed.digest
        switch allowed.signer(of: bytes, signature: armoured, among: names, now: now) {
        case .success(let signer):
            file.signature = .valid(principals: signer.principals, key: signer.fingerprint)
            file.signatureText = String(decoding: armoured, as: UTF8.self)
        case .failure(let refusal): file.signature = .refused("\(signature.escapedName): \(refusal.message)")
        }
    }

    /// Whether a file needs a signature to count, as far as its owner tells.
    func needsSignature(_ name: AnswerName, owner: UInt32) -> Bool {
        rules(for: name).contains { rule in
            guard !rule.signers.isEmpty else { return false }
            if isOwn(owner), !rule.allowsSelf { return true }
            if !Accounts.groups(among: rule.groups, of: owner).isEmpty { return false }
            let user = Accounts.userName(of: owner)
            return !rule.users.contains { $0 == user || $0 == "uid:\(owner)" }
        }
    }

    /// Whether a user is the one that steps run as: this process's own, or the one that keeps the run's folder, whoever
    /// drives the run right now.
    private func isOwn(_ userID: UInt32) -> Bool {
        if userID == Accounts.ownUserID { return true }
        return (try? session.folder.directory.status(RunFolder.ledger))?.userID == userID
    }
}

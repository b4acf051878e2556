package import WaybillCore
import WaybillManifests

/// Somebody who answered: the owner of a file, or whoever signed it.
package struct Answerer: Sendable, Hashable {
    /// The owner of the file.
    package var uid: Int
    package var user: String?
    /// The principal that the signature is of.
    package var signer: String?
    /// The fingerprint of the key that signed.
    package var key: String?

    package init(uid: Int, user: String?, signer: String? = nil, key: String? = nil) {
        self.uid = uid
        self.user = user
        self.signer = signer
        self.key = key
    }

    /// As the ledger names them.
    package var name: String { signer ?? user ?? "uid:\(uid)" }

    /// Whether two answers are one person's: it must never count twice, so that the doubtful case is one person.
    ///
    /// Two signatures are told apart by principal and key. A file and another one, or a signature, by their owner, and
    /// by the name, which a principal has before its `@`.
    func isSame(as other: Answerer) -> Bool {
        if let signer, let otherSigner = other.signer {
            return signer.isIdenticalUTF8(to: otherSigner) || (key != nil && key == other.key)
        }
        if uid == other.uid { return true }
        return names.contains { name in other.names.contains { $0.isIdenticalUTF8(to: name) } }
    }

    private var names: [String] {
        guard let signer else { return user.map { [$0] } ?? [] }
        return [signer] + (signer.firstIndex(of: "@").map { [String(signer[..<$0])] } ?? [])
    }
}

extension Answerer {
    /// As checkpoints and the states of steps keep it.
    var record: Object {
        var object: Object = ["uid": .int(Int64(uid))]
        object["user"] = user.map(Value.string)
        object["signer"] = signer.map(Value.string)
        object["fingerprint"] = key.map(Value.string)
        return object
    }

    /// Reads such a record, or an entry's data, which has the same members among others; nil without a user id.
    init?(_ object: Object?) {
        guard let object, let uid = object["uid"]?.intValue else { return nil }
        self.init(
            uid: Int(uid), user: object["user"]?.stringValue, signer: object["signer"]?.stringValue,
            key: object["fingerprint"]?.stringValue)
    }
}

/// An answer that was accepted while others are still missing.
package struct Vote: Sendable, Hashable {
    package var by: Answerer
    package var answer: Digest
    /// The entry that accepted it.
    package var seq: Int
    package var at: Timestamp
}

extension Vote {
    var record: Value {
        var object = by.record
        object["answer"] = .string(answer.hex)
        object["seq"] = .int(Int64(seq))
        object["at"] = .string(at.description)
        return .object(object)
    }

    init(record: Value) throws(EngineError) {
        let object = record.objectValue ?? Object()
        let fields = CheckpointFields(object)
        let uid = Int(try fields.int("uid"))
        by = Answerer(object) ?? Answerer(uid: uid, user: nil)
        answer = try fields.digest("answer")
        seq = Int(try fields.int("seq"))
        at = try fields.time("at")
    }
}

extension WaitState {
    /// How many people must still answer; 0 where nobody in particular has to.
    package var missing: Int { from.map { max($0.quorum - votes.count, 0) } ?? 0 }
}

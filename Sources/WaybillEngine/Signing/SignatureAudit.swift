import WaybillCore

/// Checks the signatures of a chain against keys that are trusted, entry by entry.
///
/// The chain itself is for the scanner to check. What is added here is who vouches for it: a chain that was written anew
/// without the key verifies, and has no signature that does.
package struct SignatureAudit: Sendable {
    /// Something that is wrong with a signature.
    package struct Fault: Hashable, Sendable {
        /// Of the `SIGNED` entry.
        package var seq: Int
        package var message: String
    }

    private let keys: [String: PublicKey]
    /// The first and the last entry that a trusted key vouches for by its own signature; all between them follow.
    package private(set) var first: Int?
    package private(set) var last: Int?
    package private(set) var faults: [Fault] = []
    /// Signatures by keys that are not trusted: the entry and the fingerprint.
    package private(set) var strangers: [(seq: Int, key: String)] = []
    /// The first entry at which whoever signs would have signed; 0 where none came.
    package private(set) var firstRest = 0
    /// The id that the run has by its own entries.
    package private(set) var run: String?
    /// The last entry that was seen.
    package private(set) var lastSeq = 0

    /// No more faults of one chain are told.
    private static let limit = 100

    package init(trusting keys: [PublicKey]) {
        self.keys = Dictionary(keys.map { ($0.fingerprint, $0) }, uniquingKeysWith: { first, _ in first })
    }

    package mutating func take(_ entry: Entry) {
        lastSeq = entry.seq
        switch entry.type {
        case .runStart, .forked: run = entry.data["run"]?.stringValue ?? run
        case .signed: check(entry)
        default: if entry.type.isRest, firstRest == 0 { firstRest = entry.seq }
        }
    }

    private mutating func check(_ entry: Entry) {
        guard let signature = HeadSignature(entry) else {
            return note(entry.seq, "it is no signature, though it says so")
        }
        guard let key = keys[signature.key] else {
            if strangers.count < Self.limit { strangers.append((entry.seq, signature.key)) }
            return
        }
        guard signature.isValid(by: key) else {
            return note(entry.seq, "its signature is not one by \(signature.key)")
        }
        guard signature.seq == entry.seq - 1, signature.head == entry.prev else {
            let first = (last ?? 0) + 1
            return note(
                entry.seq,
                "what was signed is another history: something in entries \(first) to \(entry.seq - 1) was changed, "
                    + "added or removed")
        }
        if first == nil { first = signature.seq }
        last = signature.seq
    }

    private mutating func note(_ seq: Int, _ message: String) {
        if faults.count < Self.limit { faults.append(Fault(seq: seq, message: message)) }
    }
}

extension EntryType {
    /// Whether a run comes to rest with an entry of this type, so that its head is signed.
    var isRest: Bool { self == .taskWaiting || self == .runPaused || self == .runEnd }

    /// Whether the journal's head is signed behind an entry of this type. Anybody who may write to the inbox can make
    /// the others, as many as they like: they are covered by the next one of these.
    package var isSignedInJournal: Bool {
        self != .eventAccepted && self != .eventRefused && self != .answerRefused && self != .signed
    }
}

import Testing
import WaybillCore
import WaybillEngine

@Suite("The audit of signatures")
struct SignatureAuditTests {
    private let key: SigningKey
    private let stranger: SigningKey

    init() throws {
        key = try #require(SigningKey.generate(name: "ours"))
        stranger = try #require(SigningKey.generate(name: "theirs"))
    }

    /// Entries of two rests, each signed.
    private func chain(_ key: SigningKey, change: (inout EntryDraft) -> Void = { _ in }) -> [Entry] {
        var head = LedgerHead.start(genesis: .zero)
        var entries: [Entry] = []
        for type in [EntryType.runStart, .taskWaiting, .runEnd] {
            var draft = EntryDraft(type, data: ["run": "r"])
            change(&draft)
            entries += head.append([draft], at: Timestamp(microseconds: 0)).map(\.entry)
            guard type != .runStart else { continue }
            entries += head.append([key.draft(over: head)], at: Timestamp(microseconds: 0)).map(\.entry)
        }
        return entries
    }

    private func audit(_ entries: [Entry]) -> SignatureAudit {
        var audit = SignatureAudit(trusting: [key.publicKey])
        for entry in entries { audit.take(entry) }
        return audit
    }

    @Test("signatures of a trusted key vouch for all before them")
    func trusted() {
        let audit = audit(chain(key))
        #expect(audit.faults.isEmpty)
        #expect(audit.first == 2)
        #expect(audit.last == 4)
        #expect(audit.lastSeq == 5)
        #expect(audit.firstRest == 2)
        #expect(audit.run == "r")
    }

    @Test("those of another key are named, and vouch for nothing")
    func otherKey() {
        let audit = audit(chain(stranger))
        #expect(audit.last == nil)
        #expect(audit.strangers.map(\.seq) == [3, 5])
        #expect(audit.strangers.first?.key == stranger.publicKey.fingerprint)
    }

    @Test("a signature that is moved to another history is found, and so is one that is made up")
    func moved() {
        let sound = chain(key)
        var other = chain(key) { $0.data["run"] = "s" }
        other[2].data = sound[2].data
        #expect(audit(other).faults.map(\.seq) == [3])
        #expect(audit(other).faults.first?.message.contains("entries 1 to 2") == true)
        var made = sound
        made[4].data["seq"] = 1
        #expect(audit(made).faults.map(\.seq) == [5])
        made[4].data = Object()
        #expect(audit(made).faults.map(\.message) == ["it is no signature, though it says so"])
    }
}

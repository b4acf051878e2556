import SystemPackage
import Testing
import WaybillCore
import WaybillEngine
import WaybillPorts
import WaybillTestKit

@testable import WaybillStore

@Suite("Long ledgers on several threads")
struct LedgerStretchesTests {
    private let genesis = Digest.sha256("index")
    private let folder: any Directory
    private let head: LedgerHead
    private let bytes: [UInt8]

    init() throws {
        folder = try MemoryFileSystem().root()
        var head = LedgerHead.start(genesis: genesis)
        var bytes: [UInt8] = []
        for number in 0..<200 {
            let drafts = (0...number % 4).map { EntryDraft(.taskEnd, step: "s\($0)", visit: 1, data: ["n": .int(1)]) }
            bytes += head.append(drafts, at: Timestamp(microseconds: Int64(number))).flatMap(\.line)
        }
        self.head = head
        self.bytes = bytes
    }

    private func check(
        _ bytes: [UInt8], processors: Int, knownHeads: [Int: Digest] = [:]
    ) throws -> LedgerHead {
        try folder.replace("ledger.jsonl", with: bytes, durability: .relaxed)
        let file = try #require(try folder.open("ledger.jsonl", .read))
        let stretches = LedgerStretches(
            folder: folder, path: "ledger.jsonl", knownHeads: knownHeads, shortest: 2_000, processors: processors)
        return try stretches.check(file, from: .start(genesis: genesis))
    }

    @Test("a whole ledger is checked to its end", arguments: [2, 3, 8, 64])
    func whole(processors: Int) throws {
        #expect(try check(bytes, processors: processors) == head)
        #expect(try check(bytes, processors: processors, knownHeads: [head.seq: head.digest]) == head)
    }

    @Test("one processor, or a short ledger, is left to one thread")
    func short() throws {
        #expect(try check(bytes, processors: 1) == .start(genesis: genesis))
        #expect(try check(Array(bytes[..<100]), processors: 8) == .start(genesis: genesis))
    }

    @Test("a change is in no part that counts", arguments: [0.1, 0.4, 0.6, 0.99])
    func changed(place: Double) throws {
        var bytes = bytes
        let index = Int(Double(bytes.count) * place)
        bytes[index] = bytes[index] == UInt8(ascii: "x") ? UInt8(ascii: "y") : UInt8(ascii: "x")
        let reached = try check(bytes, processors: 8)
        // The changed line itself may still look like an entry; the line behind it names another digest.
        let end = bytes[index...].firstIndex(of: UInt8(ascii: "\n")).map { $0 + 1 } ?? bytes.count
        #expect(reached.length <= end)
        #expect(reached != head)
    }

    @Test("a head that is known and not there is none of them either")
    func otherHead() throws {
        #expect(try check(bytes, processors: 8, knownHeads: [head.seq: .sha256("other")]) != head)
    }
}

import SystemPackage
import Testing
import WaybillCore
import WaybillPorts
import WaybillStore
import WaybillTestKit

@Suite("Receipts")
struct InboxReceiptsTests {
    private let system = MemoryFileSystem()
    private let time = Timestamp(rfc3339: "2026-11-20T10:15:03.214159Z")!

    private func drop(_ name: String, _ text: String) throws -> (InboxDoor, ClaimedFile) {
        let folder = try system.root()
        try folder.write(Array(text.utf8), toNew: FilePath(name), durability: .relaxed)
        let door = InboxDoor(folder, userName: { _ in "alice" })
        let component = try #require(FilePath.Component(name))
        return (door, try #require(try door.claim(component)))
    }

    private func names(_ path: FilePath) throws -> [String] {
        try (system.root().entries(path, limit: 9_999) ?? []).map(\.name.string).sorted()
    }

    @Test("has the shape of the contract")
    func shape() throws {
        let receipt = Receipt(
            file: "approve.json", sha256: .sha256("x"), size: 14, verdict: .rejected, kind: "schema",
            message: "ship: expected boolean, got string (line 1, column 10)", userID: 1_000, user: "alice",
            at: time, seq: 12)
        let text = """
            {
              "format": 1,
              "file": "approve.json",
              "sha256": "\(Digest.sha256("x"))",
              "size": 14,
              "verdict": "rejected",
              "kind": "schema",
              "message": "ship: expected boolean, got string (line 1, column 10)",
              "by": {
                "uid": 1000,
                "user": "alice",
                "signer": null
              },
              "at": "2026-11-20T10:15:03.214159Z",
              "seq": 12
            }

            """
        #expect(String(decoding: receipt.json, as: UTF8.self) == text)
    }

    @Test("an accepted answer is kept byte for byte, apart from the file that was dropped")
    func accepts() throws {
        let (door, file) = try drop("approve--alice.yaml", "yes\n")
        let receipts = InboxReceipts(door.directory)
        let receipt = Receipt(file, .accepted, at: time, seq: 12)
        let name = InboxReceipts.acceptedName(seq: 12, key: "approve", file: file.name)
        #expect(name == "12-approve.yaml")
        #expect(try receipts.hasAccepted(name) == false)
        for _ in 0..<2 {
            try receipts.accept(as: name, bytes: file.bytes ?? [], receipt: receipt)
            try door.discard(file)
        }
        #expect(try receipts.hasAccepted(name))
        #expect(try names("accepted") == ["12-approve.yaml", "12-approve.yaml.reason.json"])
        #expect(try system.root().read("accepted/12-approve.yaml", limit: 99) == Array("yes\n".utf8))
        #expect(try system.root().read("accepted/12-approve.yaml.reason.json", limit: 9_999) == receipt.json)
        #expect(try door.leftovers().isEmpty)
    }

    @Test("a rejected file is kept beside its reason, and its kind is what the door said")
    func rejects() throws {
        let folder = try system.root()
        try system.place(.fifo, at: "/x.json")
        let door = InboxDoor(folder)
        let file = try #require(try door.claim("x.json"))
        let receipts = InboxReceipts(folder)
        let receipt = Receipt(file, .rejected, at: time, seq: 7)
        #expect(receipt.kind == "type")
        #expect(receipt.sha256 == nil)
        #expect(try receipts.reject(file, of: door, receipt: receipt) == .kept("rejected/7-x.json"))
        #expect(try names("rejected") == ["7-x.json", "7-x.json.reason.json"])
    }

    @Test("rejects of one name are kept apart")
    func sameName() throws {
        let receipts = InboxReceipts(try system.root())
        for (text, kept) in [("one", "rejected/a.json"), ("two", "rejected/1-a.json")] {
            let (door, file) = try drop("a.json", text)
            let receipt = Receipt(file, .rejected, kind: "syntax", message: "no", at: time, seq: nil)
            #expect(try receipts.reject(file, of: door, receipt: receipt) == .kept(FilePath(kept)))
        }
    }

    @Test("a rejected file is no other one's receipt")
    func reasonNames() throws {
        let receipts = InboxReceipts(try system.root())
        let (door, first) = try drop("a.json.reason.json", "mine")
        _ = try receipts.reject(first, of: door, receipt: Receipt(first, .rejected, at: time, seq: nil))
        let (_, second) = try drop("a.json", "other")
        let outcome = try receipts.reject(second, of: door, receipt: Receipt(second, .rejected, at: time, seq: nil))
        #expect(outcome == .kept("rejected/1-a.json"))
        #expect(try system.root().read("rejected/a.json.reason.json", limit: 99) == Array("mine".utf8))
    }

    @Test("beyond the caps files go and are counted")
    func caps() throws {
        let limits = InboxLimits(keptRejects: 3, keptRejectBytes: 4_000)
        let receipts = InboxReceipts(try system.root(), limits: limits)
        var outcomes: [InboxReceipts.Kept] = []
        for number in 1...5 {
            let text = number == 2 ? String(repeating: "x", count: 5_000) : "x"
            let (door, file) = try drop("a\(number)", text)
            outcomes.append(
                try receipts.reject(file, of: door, receipt: Receipt(file, .rejected, at: time, seq: number)))
        }
        #expect(
            outcomes == [
                .kept("rejected/1-a1"), .receiptOnly("rejected/2-a2"), .kept("rejected/3-a3"), .counted, .counted,
            ])
        #expect(
            try names("rejected") == [
                "1-a1", "1-a1.reason.json", "2-a2.reason.json", "3-a3", "3-a3.reason.json",
            ])
        #expect(try names(".claimed").isEmpty)
    }

    @Test("after a crash at any operation a rejection ends in the same files")
    func idempotent() throws {
        var number = 0
        var isThrough = false
        while !isThrough {
            number += 1
            let system = MemoryFileSystem()
            let folder = try system.root()
            try folder.write(Array("no".utf8), toNew: "a.json", durability: .full)
            try folder.synchronize()
            let door = InboxDoor(folder)
            let file = try #require(try door.claim("a.json"))
            let limit = system.operationCount + number
            system.setPlan { $0.number == limit ? .halt : nil }
            let receipt = Receipt(file, .rejected, kind: "syntax", message: "no", at: time, seq: 4)
            do {
                _ = try InboxReceipts(folder).reject(file, of: door, receipt: receipt)
                isThrough = true
            } catch {}
            system.crash { _ in .kept }
            let after = try system.root()
            let doorAfter = InboxDoor(after)
            for name in try doorAfter.leftovers() {
                let again = try #require(try doorAfter.reclaim(name))
                _ = try InboxReceipts(after).reject(again, of: doorAfter, receipt: receipt)
            }
            let kept = try (after.entries("rejected", limit: 9) ?? []).map(\.name.string)
                .filter { !$0.hasPrefix(".") }.sorted()
            #expect(kept == ["4-a.json", "4-a.json.reason.json"], "halted at \(number)")
        }
        #expect(number > 8)
    }
}

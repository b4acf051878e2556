import Synchronization
import SystemPackage
import Testing
import WaybillCore
import WaybillEngine
import WaybillPorts
import WaybillStore
import WaybillTestKit

@Suite("The journal as files")
struct FileJournalTests {
    private let time = Timestamp(rfc3339: "2026-11-20T10:15:03Z")!

    private func journal(_ folder: any Directory, segmentSize: Int = 1 << 20) -> FileJournal {
        FileJournal(in: folder, options: .init(segmentSize: segmentSize, waitForLock: LockPatience.none))
    }

    private func slot(_ name: String) -> EntryDraft { EntryDraft(.slotTaken, data: ["slot": .string(name)]) }

    private func slots(_ journal: FileJournal) throws -> [String] {
        var slots: [String] = []
        _ = try journal.read(from: .beginning) { slots.append($0.entry.data["slot"]?.stringValue ?? "?") }
        return slots
    }

    private func code(_ body: () throws -> Void) -> StoreError.Code? {
        do {
            try body()
            return nil
        } catch {
            return (error as? StoreError)?.code
        }
    }

    @Test("several writers follow each other, also across segments", arguments: Volume.allCases)
    func follows(_ volume: Volume) throws {
        let (folder, keep) = try volume.make()
        defer { withExtendedLifetime(keep) {} }
        let writers = (0..<3).map { _ in journal(folder, segmentSize: 500) }
        for number in 0..<20 {
            try writers[number % 3].append([slot("\(number)")], at: time)
            if number == 7 { try writers[0].append([slot("a"), slot("b")], at: time) }
        }
        let names = try (folder.entries(FilePath(), limit: 99) ?? []).map(\.name.string)
        #expect(names.filter { $0.hasPrefix("journal-") }.count > 4)
        #expect(names.contains("journal-1.jsonl"))
        let expected = (0..<8).map { "\($0)" } + ["a", "b"] + (8..<20).map { "\($0)" }
        for writer in writers {
            #expect(Set(try writer.index(following: true).slots.keys) == Set(expected))
            #expect(try slots(writer) == expected)
        }
        #expect(try slots(journal(folder)) == expected)
        #expect(try journal(folder).verify(knownHeads: [:]).head.seq == 22)
        #expect(Set(try journal(folder).index(following: true).slots.keys) == Set(expected))
    }

    @Test("a lock that cannot be given back keeps nobody out, and what was read under it stays known")
    func failedUnlock() throws {
        let system = MemoryFileSystem()
        let (first, second) = (journal(try system.root()), journal(try system.root()))
        try first.append([slot("a")], at: time)
        system.fail(.unlock, .io)
        #expect(Set(try first.index(following: true).slots.keys) == ["a"])
        system.setPlan(nil)
        #expect(Set(try first.index(following: false).slots.keys) == ["a"])
        try second.append([slot("b")], at: time)
        #expect(Set(try first.index(following: true).slots.keys) == ["a", "b"])
        try first.append([slot("c")], at: time)
        #expect(try slots(second) == ["a", "b", "c"])
    }

    @Test("a cursor carries over from one segment to the next")
    func cursors() throws {
        let folder = try MemoryFileSystem().root()
        let writer = journal(folder, segmentSize: 400)
        var cursor = JournalCursor.beginning
        var seen: [Int] = []
        for number in 1...12 {
            try writer.append([slot("\(number)")], at: time)
            cursor = try writer.read(from: cursor) { seen.append($0.entry.seq) }
        }
        #expect(seen == Array(1...12))
        #expect(cursor.segment > 1)
    }

    @Test("threads that come together share writes, and each gets its own entries")
    func groups() async throws {
        let scratch = try ScratchDirectory()
        let journals = [FileJournal(in: scratch.directory), FileJournal(in: scratch.directory)]
        let numbers = Numbers()
        try await withThrowingTaskGroup(of: Void.self) { group in
            for number in 0..<40 {
                group.addTask {
                    let drafts = [slot("\(number)a"), slot("\(number)b")]
                    let entries = try journals[number % 2].append(drafts, at: time)
                    #expect(entries.map { $0.data["slot"] } == [.string("\(number)a"), .string("\(number)b")])
                    numbers.add(entries.map(\.seq))
                }
            }
            try await group.waitForAll()
        }
        #expect(numbers.all.sorted() == Array(1...80))
        #expect(try journals[0].verify(knownHeads: [:]).head.seq == 80)
    }

    @Test("an id is taken once, however many ask for it at once")
    func oneWinner() async throws {
        let scratch = try ScratchDirectory()
        let journals = [FileJournal(in: scratch.directory), FileJournal(in: scratch.directory)]
        let winners = Numbers()
        try await withThrowingTaskGroup(of: Void.self) { group in
            for number in 0..<20 {
                group.addTask {
                    let entries = try journals[number % 2].decide(at: time) { index in
                        index.slots["nightly"] == nil ? [slot("nightly")] : []
                    }
                    winners.add(entries.map(\.seq))
                }
            }
            try await group.waitForAll()
        }
        #expect(winners.all == [1])
    }

    @Test("a torn tail is saved and cut by the next writer, and left alone by readers")
    func torn() throws {
        let folder = try MemoryFileSystem().root()
        try journal(folder).append([slot("1")], at: time)
        let file = try #require(try folder.open("journal.jsonl", .readWrite))
        let length = try file.status().size
        try file.writeFully(Array("{\"seq\":2,".utf8), at: length)
        #expect(try slots(journal(folder)) == ["1"])
        #expect(try file.status().size == length + 9)
        try journal(folder).append([slot("2")], at: time)
        #expect(try slots(journal(folder)) == ["1", "2"])
        #expect(try folder.read("journal.torn.1", limit: 99) == Array("{\"seq\":2,".utf8))
    }

    @Test("a changed segment is damage, with the entry's number")
    func damaged() throws {
        let folder = try MemoryFileSystem().root()
        let writer = journal(folder, segmentSize: 300)
        for number in 1...6 { try writer.append([slot("\(number)")], at: time) }
        let file = try #require(try folder.open("journal-1.jsonl", .readWrite))
        try file.writeFully(Array("X".utf8), at: 20)
        do {
            try journal(folder).append([slot("7")], at: time)
            Issue.record("written behind a damaged segment")
        } catch {
            #expect(error.code == .damaged)
            #expect(error.seq == 1)
        }
        guard case .damaged = try journal(folder).verify(knownHeads: [:]) else {
            Issue.record("verified")
            return
        }
    }

    @Test("who does not give the lock back is named")
    func locked() throws {
        let scratch = try ScratchDirectory()
        try journal(scratch.directory).append([slot("1")], at: time)
        let holder = try #require(try scratch.directory.open("journal.jsonl", .readWrite))
        try holder.lock()
        let waiting = journal(scratch.directory)
        do {
            try waiting.append([slot("2")], at: time)
            Issue.record("written without the lock")
        } catch {
            #expect(error.code == .locked)
            #expect(error.cause?.owner?.processID != nil)
        }
        holder.close()
        try waiting.append([slot("2")], at: time)
        #expect(try slots(waiting) == ["1", "2"])
    }

    @Test("a full disk or a failed sync records nothing, and the journal goes on afterwards")
    func failures() throws {
        for (kind, failure, code) in [
            (MemoryFileSystem.Operation.Kind.write, FileSystemError.Code.noSpace, StoreError.Code.noSpace),
            (.sync, .io, .notDurable),
        ] {
            let system = MemoryFileSystem()
            let writer = journal(try system.root())
            try writer.append([slot("1")], at: time)
            system.fail(kind, failure)
            #expect(self.code { try writer.append([slot("2")], at: time) } == code)
            system.setPlan(nil)
            #expect(try writer.index(following: true).slots.keys.sorted() == ["1"])
            try writer.append([slot("3")], at: time)
            #expect(try slots(writer) == ["1", "3"])
            system.crash()
            #expect(try slots(journal(system.root())) == ["1", "3"])
        }
    }

    @Test("a journal that another process had to copy after a failed sync is followed")
    func copied() throws {
        let system = MemoryFileSystem()
        let folder = try system.root()
        let journals = (0..<2).map { _ in journal(folder) }
        for (number, journal) in journals.enumerated() { try journal.append([slot("\(number)")], at: time) }
        _ = try journals[0].index(following: true)
        system.setPlan { $0.kind == .sync && $0.path.string.hasSuffix("journal.jsonl") ? .fail(.io) : nil }
        #expect(code { try journals[0].append([slot("lost")], at: time) } == .notDurable)
        system.setPlan(nil)
        for journal in journals { try journal.append([slot("more")], at: time) }
        for journal in journals { #expect(try slots(journal) == ["0", "1", "more", "more"]) }
        for journal in journals { #expect(try journal.index(following: true).slots["more"] == 4) }
    }

    @Test("a crash at any operation loses no acknowledged entry, also while segments are closed")
    func everyOperation() throws {
        var number = 0
        var isThrough = false
        while !isThrough {
            number += 1
            for survival in [MemoryFileSystem.Survival.lost, .kept] {
                let system = MemoryFileSystem()
                let folder = try system.root()
                let limit = system.operationCount + number
                system.setPlan { $0.number == limit ? .halt : nil }
                var acknowledged: [String] = []
                do {
                    let writer = journal(folder, segmentSize: 300)
                    for slotNumber in 1...4 {
                        try writer.append([slot("\(slotNumber)")], at: time)
                        acknowledged.append("\(slotNumber)")
                    }
                    isThrough = true
                } catch {}
                system.crash { _ in survival }
                let again = journal(try system.root(), segmentSize: 300)
                try again.append([slot("new")], at: time)
                let all = try slots(again)
                #expect(all.starts(with: acknowledged), "halted at \(number)")
                #expect(all.last == "new")
                #expect(all.count <= acknowledged.count + 2)
            }
        }
        #expect(number > 20)
    }

    @Test("what one process records into a journal that another one was killed at survives the power")
    func takenOver() throws {
        for number in 1..<80 {
            let disk = MemoryDisk()
            let first = MemoryFileSystem(disk, process: 1, mark: "1")
            let limit = disk.withVolume { $0.operationCount } + number
            disk.withVolume { $0.plan = { $0.number == limit ? .kill : nil } }
            let killed = try? journal(first.root(), segmentSize: 300)
            for slotNumber in 1...4 { _ = try? killed?.append([slot("\(slotNumber)")], at: time) }
            first.kill()
            disk.withVolume { $0.plan = nil }
            let second = MemoryFileSystem(disk, process: 2, mark: "2")
            try journal(second.root(), segmentSize: 300).append([slot("new")], at: time)
            disk.withVolume { volume in
                volume.killAll()
                volume.crash { _ in .lost }
            }
            let last = MemoryFileSystem(disk, process: 3, mark: "3")
            #expect(try slots(journal(last.root(), segmentSize: 300)).last == "new", "killed at operation \(number)")
        }
    }
}

/// Collects entry numbers from several threads.
private final class Numbers: Sendable {
    private let numbers = Mutex<[Int]>([])

    var all: [Int] { numbers.withLock { $0 } }

    func add(_ more: [Int]) { numbers.withLock { $0 += more } }
}

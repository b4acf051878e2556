import SystemPackage
import Testing
import WaybillCore
import WaybillEngine
import WaybillPorts
import WaybillStore
import WaybillTestKit

@Suite("Ledgers as files, on a disk that fails")
struct FileLedgerStoreTests {
    private let sample = SampleRun()
    private let system = MemoryFileSystem()

    private func start(_ decisions: [Int] = [1, 2]) throws -> (store: FileLedgerStore, head: LedgerHead) {
        let runs = try system.root()
        return (FileLedgerStore(runs: runs), try sample.create(in: runs, decisions: decisions))
    }

    private func code(_ body: () throws -> Void) -> StoreError.Code? {
        do {
            try body()
            return nil
        } catch {
            return (error as? StoreError)?.code
        }
    }

    private func folder() throws -> any Directory {
        try #require(try system.root().openDirectory(FilePath(sample.run.text)))
    }

    private func ledgerBytes() throws -> [UInt8] {
        try #require(try folder().read("ledger.jsonl", limit: 1 << 20))
    }

    @Test("a decision is one write and one sync")
    func oneWrite() throws {
        let (store, _) = try start()
        let ledger = try store.open(sample.run, from: sample.genesis)
        let kinds = Recorder()
        system.setPlan { kinds.note($0) }
        try ledger.append((0..<50).map { EntryDraft(.taskStart, step: "s\($0)") }, at: sample.time)
        #expect(kinds.all == ["status", "write", "sync"])
    }

    @Test("what this process made durable is not synced again when it is opened again")
    func settled() throws {
        let (store, _) = try start()
        let ledger = try store.open(sample.run, from: sample.genesis)
        try ledger.append([EntryDraft(.runEnd)], at: sample.time)
        ledger.close()
        let kinds = Recorder()
        system.setPlan { kinds.note($0) }
        let again = try store.open(sample.run, from: sample.genesis)
        #expect(again.head == ledger.head)
        #expect(!kinds.all.contains("write") && !kinds.all.contains("sync"))
    }

    @Test("a ledger that was made durable with its run is not synced when it is opened")
    func madeDurable() throws {
        let (store, head) = try make()
        let kinds = Recorder()
        system.setPlan { kinds.note($0) }
        #expect(try store.open(sample.run, from: sample.genesis).head == head)
        #expect(!kinds.all.contains("write") && !kinds.all.contains("sync"))
    }

    /// Makes a run whose ledger is taken over and closed.
    private func make() throws -> (store: FileLedgerStore, head: LedgerHead) {
        let runs = try system.root()
        let store = FileLedgerStore(runs: runs)
        let (bytes, head) = sample.lines([1, 2])
        let new = try #require(
            try RunFolders(runs).create(sample.run, definition: sample.definition, lines: bytes))
        store.take(new.ledger, of: sample.run, upTo: head, durability: .full).close()
        return (store, head)
    }

    @Test("what a disk refuses of a ledger that was taken over is said of the run, and goes on in a copy")
    func takenOver() throws {
        let runs = try system.root()
        let (bytes, head) = sample.lines([1])
        let new = try #require(
            try RunFolders(runs).create(sample.run, definition: sample.definition, lines: bytes))
        let store = FileLedgerStore(runs: runs)
        let ledger = store.take(new.ledger, of: sample.run, upTo: head, durability: .full)
        var message = ""
        system.fail(.sync, .io, on: "ledger.jsonl")
        do throws(StoreError) {
            try ledger.append([EntryDraft(.runEnd)], at: sample.time)
        } catch {
            message = error.message
        }
        #expect(message.contains("/sample-1/ledger.jsonl") && !message.contains(".building"), "\(message)")
        system.setPlan(nil)
        try ledger.append([EntryDraft(.runEnd)], at: sample.time)
        ledger.close()
        #expect(try store.verify(sample.run, from: sample.genesis, knownHeads: [:]) == .whole(ledger.head))
    }

    @Test("nothing is remembered of a run that has ended")
    func forgotten() throws {
        let (store, head) = try make()
        store.forget(sample.run)
        let kinds = Recorder()
        system.setPlan { kinds.note($0) }
        #expect(try store.open(sample.run, from: sample.genesis).head == head)
        #expect(kinds.all.contains("sync"))
    }

    @Test("what somebody else added since is written again and synced")
    func settledBefore() throws {
        let (store, _) = try start()
        try store.open(sample.run, from: sample.genesis).close()
        let other = try FileLedgerStore(runs: try system.root()).open(sample.run, from: sample.genesis)
        try other.append([EntryDraft(.runEnd)], at: sample.time)
        other.close()
        let kinds = Recorder()
        system.setPlan { kinds.note($0) }
        #expect(try store.open(sample.run, from: sample.genesis).head == other.head)
        #expect(kinds.all.contains("write") && kinds.all.contains("sync"))
    }

    @Test("relaxed durability skips the sync")
    func relaxed() throws {
        let (store, _) = try start()
        let ledger = try store.open(sample.run, from: sample.genesis, knownHeads: [:], durability: .relaxed) { _ in }
        let kinds = Recorder()
        system.setPlan { kinds.note($0) }
        try ledger.append([EntryDraft(.runEnd)], at: sample.time)
        #expect(!kinds.all.contains("sync"))
    }

    @Test("what was acknowledged survives a crash, whatever else is lost")
    func acknowledged() throws {
        for survival in [MemoryFileSystem.Survival.lost, .kept, .torn(length: 700)] {
            let system = MemoryFileSystem()
            let runs = try system.root()
            try sample.create(in: runs)
            let ledger = try FileLedgerStore(runs: runs).open(sample.run, from: sample.genesis)
            try ledger.append([EntryDraft(.taskEnd), EntryDraft(.runEnd)], at: sample.time)
            let head = ledger.head
            system.setPlan { $0.kind == .sync ? .halt : nil }
            #expect(throws: StoreError.self) { try ledger.append([EntryDraft(.signed)], at: sample.time) }
            system.crash { _ in survival }
            let again = try FileLedgerStore(runs: try system.root()).open(sample.run, from: sample.genesis)
            #expect(again.head.seq >= head.seq)
            #expect(
                try FileLedgerStore(runs: system.root()).verify(
                    sample.run, from: sample.genesis, knownHeads: [head.seq: head.digest]) == .whole(again.head))
        }
    }

    @Test("a torn tail is saved beside the ledger before it is cut")
    func savesTail() throws {
        let good = sample.lines([1])
        let runs = try system.root()
        let store = FileLedgerStore(runs: runs)
        _ = try RunFolders(runs).create(
            sample.run, definition: sample.definition, lines: good.bytes + Array("{\"seq\":2".utf8))
        try store.open(sample.run, from: sample.genesis).close()
        #expect(try folder().read("ledger.torn.1", limit: 99) == Array("{\"seq\":2".utf8))
        let file = try #require(try folder().open("ledger.jsonl", .readWrite))
        try file.writeFully(Array("xyz".utf8), at: Int64(good.head.length))
        file.close()
        try store.open(sample.run, from: sample.genesis).close()
        #expect(try folder().read("ledger.torn.2", limit: 99) == Array("xyz".utf8))
        #expect(try ledgerBytes() == good.bytes)
    }

    @Test("a full disk refuses the decision, and the ledger is as it was")
    func noSpace() throws {
        let (store, head) = try start()
        let ledger = try store.open(sample.run, from: sample.genesis)
        let before = try ledgerBytes()
        let writes = Recorder()
        // The first write is cut short, and the second finds the disk full.
        system.setPlan { operation in
            guard operation.kind == .write else { return nil }
            _ = writes.note(operation)
            return writes.all.count == 1 ? .short(10) : .fail(.noSpace)
        }
        #expect(code { try ledger.append([EntryDraft(.runEnd)], at: sample.time) } == .noSpace)
        #expect(ledger.head == head)
        #expect(try ledgerBytes() == before)
        system.setPlan(nil)
        try ledger.append([EntryDraft(.runEnd)], at: sample.time)
        #expect(ledger.head.seq == head.seq + 1)
    }

    @Test("after a failed sync the ledger goes on in a copy of what was synced")
    func failedSync() throws {
        let (store, head) = try start()
        let ledger = try store.open(sample.run, from: sample.genesis)
        let inode = try folder().status("ledger.jsonl")?.inode
        let syncs = Recorder()
        system.setPlan { operation in
            guard operation.kind == .sync else { return nil }
            _ = syncs.note(operation)
            return syncs.all.count == 1 ? .fail(.io) : nil
        }
        #expect(code { try ledger.append([EntryDraft(.taskEnd)], at: sample.time) } == .notDurable)
        #expect(ledger.head == head)
        #expect(try folder().status("ledger.jsonl")?.inode != inode)
        try ledger.append([EntryDraft(.runEnd)], at: sample.time)
        // The lock went along: nobody else may write.
        #expect(code { _ = try store.open(sample.run, from: sample.genesis) } == .locked)
        system.crash()
        var types: [EntryType] = []
        let again = try FileLedgerStore(runs: system.root()).open(sample.run, from: sample.genesis) {
            types.append($0.entry.type)
        }
        #expect(again.head == ledger.head)
        #expect(types.last == .runEnd)
        #expect(!types.contains(.taskEnd))
    }

    @Test("while even the copy fails nothing is acknowledged, and once the disk is back it goes on")
    func failedCopy() throws {
        let (store, head) = try start()
        let ledger = try store.open(sample.run, from: sample.genesis)
        system.fail(.sync, .io)
        #expect(code { try ledger.append([EntryDraft(.taskEnd)], at: sample.time) } == .notDurable)
        #expect(code { try ledger.append([EntryDraft(.taskEnd)], at: sample.time) } == .files)
        #expect(ledger.head == head)
        system.setPlan(nil)
        try ledger.append([EntryDraft(.runEnd)], at: sample.time)
        system.crash()
        let again = try FileLedgerStore(runs: system.root()).open(sample.run, from: sample.genesis)
        #expect(again.head == ledger.head)
        #expect(try folder().entries(FilePath(), limit: 99)?.contains { $0.name.string.hasSuffix(".tmp") } == false)
    }

    @Test(
        "a ledger that could be neither synced nor copied is not synced when it is opened again: it goes on in a copy")
    func distrusted() throws {
        let (store, head) = try start()
        let ledger = try store.open(sample.run, from: sample.genesis)
        let inode = try folder().status("ledger.jsonl")?.inode
        // Neither can what was refused be taken back out of it.
        system.setPlan { [.sync, .cut, .create].contains($0.kind) ? .fail(.io) : nil }
        #expect(code { try ledger.append([EntryDraft(.taskEnd)], at: sample.time) } == .notDurable)
        ledger.close()
        #expect(code { _ = try store.open(sample.run, from: sample.genesis) } == .files)
        system.setPlan(nil)
        let again = try store.open(sample.run, from: sample.genesis)
        // What a killed owner leaves between write and sync counts, once it is durable.
        #expect(again.head.seq == head.seq + 1)
        #expect(try folder().status("ledger.jsonl")?.inode != inode)
        system.crash()
        let last = try FileLedgerStore(runs: system.root()).open(sample.run, from: sample.genesis)
        #expect(last.head == again.head)
    }

    @Test("a ledger whose first sync fails goes on in a copy")
    func failedSettling() throws {
        let (store, head) = try start()
        let syncs = Recorder()
        system.setPlan { operation in
            guard operation.kind == .sync else { return nil }
            _ = syncs.note(operation)
            return syncs.all.count == 1 ? .fail(.io) : nil
        }
        let ledger = try store.open(sample.run, from: sample.genesis)
        #expect(ledger.head == head)
        system.crash()
        let again = try FileLedgerStore(runs: system.root()).open(sample.run, from: sample.genesis)
        #expect(again.head == head)
    }

    @Test("a ledger is synced when it is opened, unless somebody vouches for its end and nothing was behind that")
    func vouchedFor() throws {
        let (_, head) = try start()
        let runs = try system.root()
        func syncs(_ heads: [Int: Digest]) throws -> Int {
            let syncs = Recorder()
            system.setPlan { $0.kind == .sync ? syncs.note($0) : nil }
            defer { system.setPlan(nil) }
            // Each process anew: what one has synced it knows.
            try FileLedgerStore(runs: runs).open(sample.run, from: sample.genesis, knownHeads: heads, durability: .full)
            { _ in }.close()
            return syncs.all.count
        }
        #expect(try syncs([:]) == 1)
        #expect(try syncs([head.seq: head.digest]) == 0)
        let file = try #require(try folder().open("ledger.jsonl", .readWrite))
        try file.writeFully(Array("{\"seq\"".utf8), at: Int64(head.length))
        file.close()
        // The copy of the tail, and the cut.
        #expect(try syncs([head.seq: head.digest]) == 2)
        #expect(try syncs([head.seq: head.digest]) == 0)
    }

    @Test("a ledger that was extended, cut or replaced behind its owner is not written")
    func changedBehind() throws {
        let (store, head) = try start()
        let ledger = try store.open(sample.run, from: sample.genesis)
        let file = try #require(try folder().open("ledger.jsonl", .readWrite))
        try file.writeFully([10], at: Int64(head.length))
        #expect(code { try ledger.append([EntryDraft(.runEnd)], at: sample.time) } == .changedBehind)
        try file.truncate(to: 5)
        #expect(code { try ledger.append([EntryDraft(.runEnd)], at: sample.time) } == .changedBehind)
        try folder().replace("ledger.jsonl", with: sample.lines([1, 2]).bytes, durability: .relaxed)
        #expect(code { try ledger.append([EntryDraft(.runEnd)], at: sample.time) } == .changedBehind)
    }

    @Test("a crash at any operation of opening and appending loses nothing acknowledged")
    func everyOperation() throws {
        var number = 0
        var isThrough = false
        while !isThrough {
            number += 1
            let system = MemoryFileSystem()
            try sample.create(in: try system.root(), decisions: [1, 2])
            let start = system.operationCount
            let limit = start + number
            system.setPlan { $0.number == limit ? .halt : nil }
            var acknowledged = 3
            do {
                let ledger = try FileLedgerStore(runs: system.root()).open(sample.run, from: sample.genesis)
                for _ in 0..<3 {
                    try ledger.append([EntryDraft(.taskStart), EntryDraft(.taskEnd)], at: sample.time)
                    acknowledged = ledger.head.seq
                }
                isThrough = true
            } catch {}
            for survival in [MemoryFileSystem.Survival.lost, .kept, .torn(length: 1_000)] {
                system.crash { _ in survival }
                let again = try FileLedgerStore(runs: system.root()).open(sample.run, from: sample.genesis)
                #expect(again.head.seq >= acknowledged, "halted at \(number)")
                #expect((again.head.seq - 3).isMultiple(of: 2))
            }
        }
        #expect(number > 15)
    }

    @Test("no trouble while a ledger is copied loses what the next owner is told is durable")
    func troubleWhileCopying() throws {
        for number in 1..<60 {
            for fault in [MemoryFileSystem.Fault.kill, .fail(.io)] {
                let disk = MemoryDisk()
                let first = MemoryFileSystem(disk, process: 1, mark: "1")
                let runs = try first.root()
                try sample.create(in: runs, decisions: [1, 2])
                let ledger = try FileLedgerStore(runs: runs).open(sample.run, from: sample.genesis)
                let start = disk.withVolume { $0.operationCount }
                // The first sync fails, and then one operation of what follows.
                let syncs = Recorder()
                disk.withVolume { volume in
                    volume.plan = { operation in
                        if operation.number == start + number { return fault }
                        guard operation.kind == .sync else { return nil }
                        _ = syncs.note(operation)
                        return syncs.all.count == 1 ? .fail(.io) : nil
                    }
                }
                _ = try? ledger.append([EntryDraft(.taskEnd)], at: sample.time)
                first.kill()
                ledger.close()
                disk.withVolume { $0.plan = nil }
                let second = MemoryFileSystem(disk, process: 2, mark: "2")
                let next = try FileLedgerStore(runs: second.root()).open(sample.run, from: sample.genesis)
                try next.append([EntryDraft(.runEnd)], at: sample.time)
                let head = next.head
                disk.withVolume { volume in
                    volume.killAll()
                    volume.crash { _ in .lost }
                }
                let last = MemoryFileSystem(disk, process: 3, mark: "3")
                let again = try FileLedgerStore(runs: last.root()).open(sample.run, from: sample.genesis)
                #expect(again.head == head, "\(fault) at operation \(number)")
            }
        }
    }
}

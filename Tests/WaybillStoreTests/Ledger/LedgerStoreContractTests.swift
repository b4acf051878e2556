import SystemPackage
import Testing
import WaybillCore
import WaybillEngine
import WaybillPorts
import WaybillStore
import WaybillTestKit

/// The forms of the ledger store, each with the sample run in it.
enum LedgerForm: String, CaseIterable, Sendable {
    case localFiles
    case memoryFiles
    case memory

    /// - Parameter bytes: the ledger's bytes, whole or not.
    func make(_ sample: SampleRun, _ bytes: [UInt8]) throws -> (store: any LedgerStore, keep: AnyObject) {
        let (store, keep, _) = try makeResettable(sample, bytes)
        return (store, keep)
    }

    /// As `make`, with a function that gives the ledger other bytes.
    func makeResettable(
        _ sample: SampleRun, _ bytes: [UInt8]
    ) throws -> (store: any LedgerStore, keep: AnyObject, reset: ([UInt8]) throws -> Void) {
        if self == .memory {
            let store = MemoryLedgerStore()
            store.set(sample.run, bytes)
            return (store, store, { store.set(sample.run, $0) })
        }
        let (runs, keep) = try (self == .localFiles ? Volume.local : .memory).make()
        _ = try RunFolders(runs).create(sample.run, definition: sample.definition, lines: bytes)
        let folder = try #require(try runs.openDirectory("sample-1"))
        let reset: ([UInt8]) throws -> Void = { bytes in
            _ = try folder.remove("ledger.torn.1")
            try folder.replace("ledger.jsonl", with: bytes, durability: .relaxed)
        }
        return (FileLedgerStore(runs: runs), keep, reset)
    }

    /// A store that has taken over the ledger of a run that was made just now.
    func makeTaken(
        _ sample: SampleRun, _ decisions: [Int]
    ) throws -> (store: any LedgerStore, keep: AnyObject, ledger: any Ledger) {
        let (bytes, head) = sample.lines(decisions)
        let (runs, keep) = try (self == .localFiles ? Volume.local : .memory).make()
        let new = try #require(
            try RunFolders(runs).create(sample.run, definition: sample.definition, lines: bytes))
        var store: any LedgerStore = FileLedgerStore(runs: runs)
        if self == .memory {
            let memory = MemoryLedgerStore()
            memory.set(sample.run, bytes)
            store = memory
        }
        return (store, keep, store.take(new.ledger, of: sample.run, upTo: head, durability: .full))
    }
}

@Suite("Every form of the ledger store")
struct LedgerStoreContractTests {
    private let sample = SampleRun()

    private func code(_ body: () throws -> Void) -> StoreError.Code? {
        do {
            try body()
            return nil
        } catch {
            return (error as? StoreError)?.code
        }
    }

    @Test("hands on all entries and goes on behind them", arguments: LedgerForm.allCases)
    func opens(_ form: LedgerForm) throws {
        let (bytes, head) = sample.lines([2, 1])
        let (store, keep) = try form.make(sample, bytes)
        defer { withExtendedLifetime(keep) {} }
        var numbers: [Int] = []
        let ledger = try store.open(sample.run, from: sample.genesis) { numbers.append($0.entry.seq) }
        #expect(numbers == [1, 2, 3])
        #expect(ledger.head == head)
        let entries = try ledger.append([EntryDraft(.taskEnd), EntryDraft(.runEnd)], at: sample.time)
        #expect(entries.map(\.seq) == [4, 5])
        #expect(entries.first?.of == 2)
        try ledger.append([[EntryDraft(.signed)], [EntryDraft(.erased)]], at: sample.time)
        #expect(ledger.head.seq == 7)
        ledger.close()
        #expect(try store.verify(sample.run, from: sample.genesis, knownHeads: [3: head.digest]) == .whole(ledger.head))
    }

    @Test(
        "a ledger that was made with its run goes on as it was made, and is nobody else's",
        arguments: LedgerForm.allCases)
    func takes(_ form: LedgerForm) throws {
        let (store, keep, ledger) = try form.makeTaken(sample, [2, 1])
        defer { withExtendedLifetime(keep) {} }
        #expect(code { _ = try store.open(sample.run, from: sample.genesis) } == .locked)
        let entries = try ledger.append([EntryDraft(.taskEnd), EntryDraft(.runEnd)], at: sample.time)
        #expect(entries.map(\.seq) == [4, 5])
        ledger.close()
        #expect(try store.open(sample.run, from: sample.genesis).head == ledger.head)
    }

    @Test(
        "a head that no entry vouches for opens nothing and changes nothing, also where it makes the rest look torn",
        arguments: LedgerForm.allCases)
    func vouched(_ form: LedgerForm) throws {
        let past = sample.lines([2])
        let digest = Digest.sha256("a checkpoint")
        var head = past.head
        let entry = EntryDraft(.checkpoint, data: ["seq": 2, "sha256": .string(digest.hex)])
        let lines = head.append([entry], at: sample.time).flatMap(\.1)
        let (store, keep) = try form.make(sample, past.bytes + lines)
        defer { withExtendedLifetime(keep) {} }
        func open(_ from: LedgerHead, _ checkpoint: Digest) throws -> LedgerHead {
            let ledger = try store.open(
                sample.run, from: from, checkpoint: checkpoint, knownHeads: [:], durability: .full
            ) {
                _ in
            }
            defer { ledger.close() }
            return ledger.head
        }
        var shifted = past.head
        shifted.length = head.length - 3
        for (from, checkpoint) in [(past.head, Digest.zero), (head, digest), (shifted, digest)] {
            #expect(code { _ = try open(from, checkpoint) } == .damaged)
            #expect(try store.verify(sample.run, from: sample.genesis, knownHeads: [:]) == .whole(head))
        }
        #expect(try open(past.head, digest) == head)
    }

    @Test("begins where a checkpoint ends", arguments: LedgerForm.allCases)
    func beginsLater(_ form: LedgerForm) throws {
        let middle = sample.lines([2])
        let rest = sample.lines([1, 2], after: middle.head)
        let (store, keep) = try form.make(sample, middle.bytes + rest.bytes)
        defer { withExtendedLifetime(keep) {} }
        var numbers: [Int] = []
        let ledger = try store.open(sample.run, from: middle.head) { numbers.append($0.entry.seq) }
        #expect(numbers == [3, 4, 5])
        #expect(ledger.head == rest.head)
    }

    @Test("has one owner at a time", arguments: LedgerForm.allCases)
    func locks(_ form: LedgerForm) throws {
        let (store, keep) = try form.make(sample, sample.lines([1]).bytes)
        defer { withExtendedLifetime(keep) {} }
        let ledger = try store.open(sample.run, from: sample.genesis)
        #expect(code { _ = try store.open(sample.run, from: sample.genesis) } == .locked)
        #expect(try store.scan(sample.run, from: sample.genesis, knownHeads: [:]) { _ in }.head == ledger.head)
        ledger.close()
        _ = try store.open(sample.run, from: sample.genesis)
    }

    @Test("a run without a ledger is missing", arguments: LedgerForm.allCases)
    func missing(_ form: LedgerForm) throws {
        let (store, keep) = try form.make(sample, sample.lines([1]).bytes)
        defer { withExtendedLifetime(keep) {} }
        let other = try #require(RunID("other"))
        #expect(code { _ = try store.open(other, from: sample.genesis) } == .missing)
        #expect(code { _ = try store.verify(other, from: sample.genesis, knownHeads: [:]) } == .missing)
    }

    @Test("a decision torn at any byte is cut, and the ledger goes on", arguments: LedgerForm.allCases)
    func torn(_ form: LedgerForm) throws {
        let good = sample.lines([1, 2])
        let last = sample.lines([2], after: good.head)
        let (store, keep, reset) = try form.makeResettable(sample, good.bytes)
        defer { withExtendedLifetime(keep) {} }
        for length in 0..<last.bytes.count {
            try reset(good.bytes + last.bytes.prefix(length))
            var numbers: [Int] = []
            let ledger = try store.open(sample.run, from: sample.genesis) { numbers.append($0.entry.seq) }
            #expect(ledger.head == good.head, "torn at \(length)")
            #expect(numbers == [1, 2, 3])
            if !length.isMultiple(of: 50) {
                ledger.close()
                continue
            }
            try ledger.append([EntryDraft(.runEnd)], at: sample.time)
            ledger.close()
            let verdict = try store.verify(sample.run, from: sample.genesis, knownHeads: [:])
            #expect(verdict == .whole(ledger.head))
        }
    }

    @Test("an edited, cut or foreign ledger is damaged, with the entry's number", arguments: LedgerForm.allCases)
    func damaged(_ form: LedgerForm) throws {
        let (bytes, head) = sample.lines([1, 1, 1])
        var edited = bytes
        let place = try #require(String(decoding: bytes, as: UTF8.self).utf8.firstRange(of: Array("step0".utf8)))
        edited[bytes.distance(from: 0, to: place)] = UInt8(ascii: "S")
        let cut = Array(bytes.prefix(sample.lines([1, 1]).bytes.count))
        func check(_ bytes: [UInt8], known: [Int: Digest] = [:], from start: LedgerHead, seq: Int) throws {
            let (store, keep) = try form.make(sample, bytes)
            defer { withExtendedLifetime(keep) {} }
            do {
                _ = try store.open(sample.run, from: start, knownHeads: known, durability: .full) { _ in }
                Issue.record("opened")
            } catch {
                #expect(error.code == .damaged)
                #expect(error.seq == seq)
            }
            // Nothing was changed: the evidence is still there.
            #expect(try store.verify(sample.run, from: start, knownHeads: known).head.seq < 3)
        }
        try check(edited, from: sample.genesis, seq: 2)
        try check(cut, known: [3: head.digest], from: sample.genesis, seq: 3)
        try check(bytes, from: .start(genesis: .sha256("another definition")), seq: 1)
    }
}

extension String.UTF8View {
    /// The offset of the first occurrence.
    fileprivate func firstRange(of bytes: [UInt8]) -> Int? {
        let all = Array(self)
        guard all.count >= bytes.count else { return nil }
        return (0...all.count - bytes.count).first { all[$0..<$0 + bytes.count].elementsEqual(bytes) }
    }
}

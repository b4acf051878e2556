import SystemPackage
import Testing
import WaybillCore
import WaybillEngine
import WaybillPorts
import WaybillStore
import WaybillTestKit

@Suite("Events in files")
struct EventIndexTests {
    private let time = Sample.time

    private func journal(_ folder: any Directory, segmentSize: Int = 1 << 20) -> FileJournal {
        FileJournal(in: folder, options: .init(segmentSize: segmentSize, waitForLock: LockPatience.none))
    }

    /// Small and repeatable (splitmix64).
    private struct Dice {
        var state: UInt64

        mutating func roll(_ sides: Int) -> Int {
            state &+= 0x9E37_79B9_7F4A_7C15
            var bits = state
            bits = (bits ^ (bits >> 30)) &* 0xBF58_476D_1CE4_E5B9
            bits = (bits ^ (bits >> 27)) &* 0x94D0_49BB_1331_11EB
            return Int((bits ^ (bits >> 31)) % UInt64(sides))
        }
    }

    @Test("an index that follows is the one that is made from the files, whoever wrote them", arguments: 1...9)
    func incremental(_ seed: Int) throws {
        var dice = Dice(state: UInt64(seed))
        let system = MemoryFileSystem()
        let folder = try system.root()
        let segmentSize = [400, 2_000, 1 << 20][dice.roll(3)]
        let journals = (0..<3).map { _ in journal(folder, segmentSize: segmentSize) }
        let logs = journals.map { EventLog($0) }
        for _ in 0..<30 {
            let writer = dice.roll(3)
            switch dice.roll(8) {
            case 0: try journals[writer].append([EntryDraft(.slotTaken, data: ["slot": "s"])], at: time)
            case 1: _ = try logs[writer].lastSeq(following: true)
            case 2:
                system.fail(dice.roll(2) == 0 ? .sync : .write, .io)
                let event = try Sample.event("\(dice.roll(40))")
                _ = try? logs[writer].accept([event], at: time)
                system.setPlan(nil)
                // It keeps the lock until the disk lets it go back to what is durable.
                _ = try logs[writer].lastSeq(following: true)
            default:
                var batch: [EventSubmission] = []
                for _ in 0...dice.roll(5) {
                    batch.append(
                        try Sample.event(
                            "\(dice.roll(200))", type: "t\(dice.roll(3))",
                            key: dice.roll(2) == 0 ? nil : "k\(dice.roll(4))",
                            data: .int(Int64(dice.roll(2)))))
                }
                _ = try logs[writer].accept(batch, at: time)
            }
        }
        let fresh = try journal(folder).index(following: true)
        #expect(fresh.events.count > 10)
        for journal in journals { #expect(try journal.index(following: true) == fresh) }
        try check(logs[seed % 3], journals[seed % 3])
    }

    /// Compares what the log says with a walk through all entries.
    private func check(_ log: EventLog, _ journal: FileJournal) throws {
        var events: [(seq: Int, event: Value)] = []
        _ = try journal.read(from: .beginning) { item in
            guard item.entry.type == .eventAccepted, let event = item.entry.data["event"] else { return }
            events.append((item.entry.seq, event))
        }
        for (seq, event) in events { #expect(try log.event(seq) == event) }
        for type in ["t0", "t1", "t2"] {
            for key in [nil, "k0", "k3"] {
                let fitting = events.filter {
                    $0.event["type"] == .string(type) && (key == nil || $0.event["key"]?.stringValue == key)
                }
                var seen: [Int] = []
                while let seq = try log.next(type: type, key: key, after: seen.last ?? 0, match: { _ in true }).seq {
                    seen.append(seq)
                }
                #expect(seen == fitting.map(\.seq))
                #expect(try log.last(type: type, key: key) == seen.last ?? 0)
            }
        }
        #expect(try log.arrivals(after: 0, limit: .max, following: false).map(\.seq) == events.map(\.seq))
    }

    @Test("a payload is found in the open segment and after it was closed", arguments: Volume.allCases)
    func closedSegments(_ volume: Volume) throws {
        let (folder, keep) = try volume.make()
        defer { withExtendedLifetime(keep) {} }
        let log = EventLog(journal(folder, segmentSize: 600))
        let other = EventLog(journal(folder, segmentSize: 600))
        for number in 1...20 {
            _ = try log.accept([try Sample.event("\(number)", data: .int(Int64(number)))], at: time)
            if number == 3 { _ = try other.lastSeq(following: true) }
        }
        // It knows the first three by the name of the segment that was open then.
        for number in 1...3 { #expect(try other.event(number)?["data"] == .int(Int64(number))) }
        #expect(try other.event(4) == nil)
        for number in 1...20 { #expect(try log.event(number)?["data"] == .int(Int64(number))) }
    }

    @Test("a payload that was changed or whose segment is gone is an error, not another event")
    func damage() throws {
        let folder = try MemoryFileSystem().root()
        let log = EventLog(journal(folder, segmentSize: 100))
        for number in 1...3 { _ = try log.accept([try Sample.event("\(number)")], at: time) }
        let file = try #require(try folder.open("journal-1.jsonl", .readWrite))
        try file.writeFully(Array("X".utf8), at: 60)
        #expect(throws: StoreError.self) { try log.event(1) }
        _ = try folder.remove("journal-2.jsonl")
        do throws(StoreError) {
            _ = try log.event(2)
            Issue.record("read what is gone")
        } catch {
            #expect(error.code == .missing || error.code == .damaged)
        }
        #expect(try log.event(3)?["id"] == "3")
    }

    @Test("a crash at any operation loses no accepted event, and sending all again makes each of them one entry")
    func everyOperation() throws {
        var number = 0
        var isThrough = false
        while !isThrough {
            number += 1
            let system = MemoryFileSystem()
            let folder = try system.root()
            let limit = system.operationCount + number
            system.setPlan { $0.number == limit ? .halt : nil }
            let batches = [["1", "2"], ["3"], ["1", "4", "5"]]
            var accepted: Set<String> = []
            do {
                let log = EventLog(journal(folder, segmentSize: 500))
                for batch in batches {
                    _ = try log.accept(try batch.map { try Sample.event($0) }, at: time)
                    accepted.formUnion(batch)
                }
                isThrough = true
            } catch {}
            system.crash { _ in .lost }
            let again = EventLog(journal(try system.root(), segmentSize: 500))
            for id in accepted {
                #expect(try again.find(try Sample.event(id).event) != nil, "halted at \(number)")
            }
            for batch in batches { _ = try again.accept(try batch.map { try Sample.event($0) }, at: time) }
            #expect(try again.arrivals(after: 0, limit: 99, following: true).count == 5, "halted at \(number)")
        }
        #expect(number > 15)
    }

    @Test("thousands of events share few writes, and no write is larger than a power loss may tear")
    func batches() throws {
        let system = MemoryFileSystem()
        let recorder = Recorder()
        let log = EventLog(journal(try system.root(), segmentSize: 64 << 20))
        system.setPlan(recorder.note)
        let filling = Value.string(String(repeating: "x", count: 60_000))
        var events: [EventSubmission] = []
        for number in 0..<2_000 {
            events.append(try Sample.event("\(number)", data: number % 100 == 0 ? filling : .null))
        }
        let acceptances = try log.accept(events, at: time)
        #expect(acceptances == (1...2_000).map { .accepted(seq: $0) })
        let syncs = recorder.all.count { $0 == "sync" }
        #expect(syncs < 20)
    }

    @Test("threads and processes that send the same events agree on each one's number")
    func concurrent() async throws {
        let scratch = try ScratchDirectory()
        let logs = (0..<2).map { _ in EventLog(FileJournal(in: scratch.directory)) }
        let numbers = try await withThrowingTaskGroup(of: [Int].self) { group in
            for task in 0..<16 {
                group.addTask {
                    try (0..<10).map { round in
                        let batch = try (0..<5).map { try Sample.event("\(round)-\($0)") }
                        return try logs[task % 2].accept(batch, at: Sample.time).map(\.seq)
                    }.flatMap { $0 }
                }
            }
            var all: Set<[Int]> = []
            for try await numbers in group { all.insert(numbers) }
            return all
        }
        #expect(numbers.count == 1)
        #expect(try logs[0].arrivals(after: 0, limit: 999, following: true).map(\.seq) == Array(1...50))
    }
}

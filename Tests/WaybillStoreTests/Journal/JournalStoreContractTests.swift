import Testing
import WaybillCore
import WaybillEngine
import WaybillPorts
import WaybillStore
import WaybillTestKit

enum JournalForm: String, CaseIterable, Sendable {
    case localFiles
    case memoryFiles
    case memory

    func make() throws -> (journal: any JournalStore, keep: AnyObject) {
        if self == .memory {
            let journal = MemoryJournal()
            return (journal, journal)
        }
        let (folder, keep) = try (self == .localFiles ? Volume.local : .memory).make()
        return (FileJournal(in: folder), keep)
    }
}

@Suite("Every form of the journal")
struct JournalStoreContractTests {
    private let time = Timestamp(rfc3339: "2026-11-20T10:15:03Z")!
    private let run = RunID("release-1")!
    private let inputs = Digest.sha256("{}")

    @Test("records decisions in one chain from 64 zeros", arguments: JournalForm.allCases)
    func records(_ form: JournalForm) throws {
        let (journal, keep) = try form.make()
        defer { withExtendedLifetime(keep) {} }
        #expect(try journal.index(following: true).runs.isEmpty)
        let first = try journal.append([EntryDraft(.syncApplied)], at: time)
        #expect(first.map(\.prev) == [.zero])
        let second = try journal.append([EntryDraft(.slotMissed), EntryDraft(.slotTaken)], at: time - .seconds(9))
        #expect(second.map(\.seq) == [2, 3])
        #expect(second.map(\.of) == [2, nil])
        // Time never goes back.
        #expect(second.map(\.ts) == [time, time])
        #expect(try journal.append([], at: time).isEmpty)
        var seen: [Entry] = []
        let cursor = try journal.read(from: .beginning) { seen.append($0.entry) }
        #expect(seen == first + second)
        #expect(try journal.verify(knownHeads: [3: cursor.head.digest]) == .whole(cursor.head))
        let third = try journal.append([EntryDraft(.signed)], at: time)
        seen = []
        _ = try journal.read(from: cursor) { seen.append($0.entry) }
        #expect(seen == third)
    }

    @Test("knows which ids are used, by what, and how they ended", arguments: JournalForm.allCases)
    func index(_ form: JournalForm) throws {
        let (journal, keep) = try form.make()
        defer { withExtendedLifetime(keep) {} }
        let run = run
        let inputs = inputs
        func start() throws -> [Entry] {
            try journal.decide(at: time) { index in
                index.runs[run] == nil
                    ? [.runStarted(run, workflow: "release", inputs: inputs, trigger: ["type": "manual"])] : []
            }
        }
        #expect(try start().count == 1)
        #expect(try start().isEmpty)
        #expect(try journal.index(following: false).open == [run])
        let head = LedgerHead(seq: 9, digest: .sha256("end"), ts: time, length: 0)
        try journal.append([.runEnded(run, status: "completed", head: head)], at: time)
        try journal.append([EntryDraft(.runPruned, data: ["run": .string(run.text)])], at: time)
        let known = try #require(try journal.index(following: false).runs[run])
        #expect(known.workflow == "release")
        #expect(known.inputs == inputs)
        #expect(known.started == 1)
        #expect(known.ended == .init(seq: 2, status: "completed", headSeq: 9, head: head.digest))
        #expect(known.isPruned)
        #expect(try journal.index(following: false).open.isEmpty)
        #expect(try start().isEmpty)
    }

    @Test(
        "knows who is in a group, in order, and which run has to end for another one", arguments: JournalForm.allCases)
    func groups(_ form: JournalForm) throws {
        let (journal, keep) = try form.make()
        defer { withExtendedLifetime(keep) {} }
        let runs = ["a", "b", "c"].compactMap(RunID.init)
        for (position, run) in runs.enumerated() {
            let oldest = position > 0 ? runs[position - 1] : Optional.none
            try journal.append(
                [
                    .runStarted(
                        run, workflow: "w", inputs: inputs, trigger: .null, group: ("g", 1), cancels: oldest)
                ], at: time)
        }
        var index = try journal.index(following: true)
        #expect(index.groups == ["g": runs])
        #expect(index.runs[runs[1]]?.cancels == runs[0])
        #expect(try journal.run(runs[1], following: true) == index.runs[runs[1]])
        #expect(index.runs[runs[0]]?.cancels == nil)
        #expect(index.successors == [runs[0]: runs[1], runs[1]: runs[2]])
        #expect(runs.map { index.isAdmitted($0, limit: 1) } == [true, false, false])
        let head = LedgerHead(seq: 9, digest: .sha256("end"), ts: time, length: 0)
        try journal.append([.runEnded(runs[0], status: "cancelled", head: head)], at: time)
        index = try journal.index(following: true)
        #expect(index.groups == ["g": Array(runs.dropFirst())])
        #expect(index.successors == [runs[1]: runs[2]])
        #expect(index.admitted(in: "g") == [runs[1]])
    }

    @Test(
        "knows which runs were opened behind an entry, however many there were since", arguments: JournalForm.allCases)
    func openings(_ form: JournalForm) throws {
        let (journal, keep) = try form.make()
        defer { withExtendedLifetime(keep) {} }
        let inputs = inputs
        let runs = (0..<5_000).compactMap { RunID("r\($0)") }
        let head = LedgerHead(seq: 9, digest: .sha256("end"), ts: time, length: 0)
        func open(after seq: Int) throws -> [RunID] {
            try journal.query(following: true) { $0.open(after: seq) }.sorted()
        }
        try journal.append(
            runs[..<3].map { .runStarted($0, workflow: "w", inputs: inputs, trigger: .null) }, at: time)
        #expect(try open(after: 0) == Array(runs[..<3]))
        #expect(try open(after: 2) == [runs[2]])
        try journal.append([.runEnded(runs[2], status: "failed", head: head)], at: time)
        #expect(try open(after: 2) == [])
        let lost = EntryDraft(.runRepaired, data: ["run": .string(runs[2].text), "lost": 1])
        try journal.append([lost], at: time)
        #expect(try open(after: 4) == [runs[2]])
        try journal.append(
            runs[3...].map { .runStarted($0, workflow: "w", inputs: inputs, trigger: .null) }, at: time)
        #expect(try open(after: 5_001) == [runs[4_999]].sorted())
        #expect(try open(after: 5_002) == [])
        // Those in between are known no more by themselves: more than that is said.
        #expect(try open(after: 5) == runs.sorted())
    }
}

import Testing
import WaybillCore
import WaybillEngine
import WaybillPorts
import WaybillStore
import WaybillTestKit

/// Events for tests.
enum Sample {
    static let time = Timestamp(rfc3339: "2026-11-20T10:15:03Z")!

    static func event(
        _ id: String, type: String = "paid", key: String? = nil, data: Value = .null
    ) throws -> EventSubmission {
        var object: Object = [
            "specversion": "1.0", "id": .string(id), "source": "/shop", "type": .string(type), "data": data,
        ]
        if let key { object["key"] = .string(key) }
        return EventSubmission(try CloudEvent(.object(object)), actor: .user, by: "ana", file: "\(id).json")
    }
}

@Suite("Events in every form of the journal")
struct EventLogContractTests {
    private let time = Sample.time

    private func id(_ search: EventSearch) -> String? { search.event?["id"]?.stringValue }

    @Test("an event is one entry with its payload and who sent it", arguments: JournalForm.allCases)
    func accepts(_ form: JournalForm) throws {
        let (journal, keep) = try form.make()
        defer { withExtendedLifetime(keep) {} }
        let log = EventLog(journal)
        #expect(try log.lastSeq(following: true) == 0)
        #expect(try log.accept([], at: time) == [])
        let submission = try Sample.event("a", key: "7", data: ["amount": 3])
        #expect(try log.find(submission.event) == nil)
        #expect(try log.accept([submission], at: time) == [.accepted(seq: 1)])
        var entries: [Entry] = []
        _ = try journal.read(from: .beginning) { entries.append($0.entry) }
        #expect(entries.map(\.type) == [.eventAccepted])
        #expect(entries.first?.actor == .user)
        #expect(entries.first?.by == "ana")
        #expect(entries.first?.data == ["event": submission.event.value, "file": "a.json"])
        #expect(try log.event(1) == submission.event.value)
        #expect(try log.event(2) == nil)
        #expect(try log.find(submission.event) == .duplicate(seq: 1))
        #expect(try log.lastSeq(following: false) == 1)
    }

    @Test(
        "the same event again is the first one, another one under its name a conflict", arguments: JournalForm.allCases)
    func identities(_ form: JournalForm) throws {
        let (journal, keep) = try form.make()
        defer { withExtendedLifetime(keep) {} }
        let log = EventLog(journal)
        let first = try Sample.event("a")
        let batch = [first, try Sample.event("b"), first, try Sample.event("b", data: 2), try Sample.event("c")]
        #expect(
            try log.accept(batch, at: time)
                == [
                    .accepted(seq: 1), .accepted(seq: 2), .duplicate(seq: 1), .conflict(seq: 2), .accepted(seq: 3),
                ])
        #expect(
            try log.accept([try Sample.event("c", type: "other"), first], at: time)
                == [.conflict(seq: 3), .duplicate(seq: 1)])
        #expect(try log.find(try Sample.event("b", data: 2).event) == .conflict(seq: 2))
        #expect(try journal.verify(knownHeads: [:]).head.seq == 3)
    }

    @Test(
        "a wait gets the first event behind its cursor that fits type, key and match", arguments: JournalForm.allCases)
    func next(_ form: JournalForm) throws {
        let (journal, keep) = try form.make()
        defer { withExtendedLifetime(keep) {} }
        let log = EventLog(journal)
        var batch: [EventSubmission] = []
        for number in 1...200 {
            batch.append(
                try Sample.event(
                    "\(number)", type: number % 2 == 0 ? "even" : "odd", key: number % 5 == 0 ? nil : "k\(number % 3)",
                    data: .int(Int64(number))))
        }
        _ = try log.accept(batch, at: time)
        try journal.append([EntryDraft(.syncApplied)], at: time)
        #expect(id(try log.next(type: "odd", key: nil, after: 0) { _ in true }) == "1")
        #expect(id(try log.next(type: "odd", key: nil, after: 1) { _ in true }) == "3")
        #expect(id(try log.next(type: "even", key: "k1", after: 4) { _ in true }) == "16")
        // Far enough to take more than one look at the index.
        let found = try log.next(type: "odd", key: nil, after: 0) { $0["data"]?.intValue ?? 0 > 180 }
        #expect(found.seq == 181)
        #expect(found.examined == 181)
        let taken = Set((1...150).filter { $0 != 77 })
        #expect(id(try log.next(type: "odd", key: nil, after: 0, except: taken) { _ in true }) == "77")
        #expect(try log.next(type: "odd", key: nil, after: 199) { _ in true } == EventSearch(examined: 201))
        #expect(try log.next(type: "odd", key: "k9", after: 0) { _ in true } == EventSearch(examined: 201))
        #expect(try log.next(type: "none", key: nil, after: 0) { _ in true } == EventSearch(examined: 201))
        #expect(try log.last(type: "odd", key: nil) == 199)
        #expect(try log.last(type: "even", key: "k1") == 196)
        #expect(try log.last(type: "even", key: "k9") == 0)
    }

    @Test("match is asked of nothing but events of the type and key", arguments: JournalForm.allCases)
    func matching(_ form: JournalForm) throws {
        let (journal, keep) = try form.make()
        defer { withExtendedLifetime(keep) {} }
        let log = EventLog(journal)
        _ = try log.accept(
            [
                try Sample.event("1", type: "a", key: "x"), try Sample.event("2", type: "b", key: "x"),
                try Sample.event("3", type: "a"), try Sample.event("4", type: "a", key: "x"),
            ], at: time)
        var asked: [String?] = []
        let search = try log.next(type: "a", key: "x", after: 0) { event in
            asked.append(event["id"]?.stringValue)
            return false
        }
        #expect(asked == ["1", "4"])
        #expect(search.seq == nil)
        #expect(search.examined == 4)
    }

    @Test("arrivals are told in order with type and key", arguments: JournalForm.allCases)
    func arrivals(_ form: JournalForm) throws {
        let (journal, keep) = try form.make()
        defer { withExtendedLifetime(keep) {} }
        let log = EventLog(journal)
        try journal.append([EntryDraft(.syncApplied)], at: time)
        _ = try log.accept(
            [try Sample.event("1"), try Sample.event("2", type: "other", key: "k"), try Sample.event("3")], at: time)
        let number = EventIndex.number(ofKey: "k")
        #expect(number != 0)
        #expect(
            try log.arrivals(after: 0, limit: 2, following: true)
                == [.init(seq: 2, type: "paid", key: 0), .init(seq: 3, type: "other", key: number)])
        #expect(try log.arrivals(after: 3, limit: 9, following: false) == [.init(seq: 4, type: "paid", key: 0)])
        #expect(try log.arrivals(after: 4, limit: 9, following: false) == [])
    }

    @Test("spellings that Unicode calls the same are different types and keys")
    func spellings() throws {
        let log = EventLog(MemoryJournal())
        let composed = "caf\u{E9}"
        let combined = "cafe\u{301}"
        _ = try log.accept(
            [
                try Sample.event("1", type: combined, key: combined),
                try Sample.event("2", type: composed, key: combined),
                try Sample.event("3", type: composed, key: composed),
            ], at: time)
        #expect(id(try log.next(type: composed, key: nil, after: 0) { _ in true }) == "2")
        #expect(id(try log.next(type: composed, key: composed, after: 0) { _ in true }) == "3")
    }
}

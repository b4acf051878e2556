import Foundation
import Testing
import WaybillCore

/// Events that come in, from the command line and as files.
@Suite("Events")
struct EventTests {
    private func event(_ id: String, type: String = "paid", _ rest: String = "") -> String {
        #"{"specversion":"1.0","id":"\#(id)","source":"/shop","type":"\#(type)"\#(rest)}"#
    }

    /// Ids of the journal's events, in order.
    private static func accepted(_ tree: ScratchTree) -> [String] {
        tree.lines("runs/journal.jsonl").filter { $0.contains("EVENT_ACCEPTED") }.compactMap { line in
            (try? JSON.parse(line))?.member("data")?.member("event")?.member("id").flatMap {
                if case .string(let id) = $0 { id } else { nil }
            }
        }
    }

    @Test("emit makes an entry once, refuses another event under its name, and events lists it")
    func commands() async throws {
        let tree = try ScratchTree()
        let first = try await tree.expect(
            0, "emit", "--type", "order.paid", "--source", "/shop", "--id", "a", "--key", "7", "--subject", "orders/7",
            "--data", #"{"amount": 3}"#)
        #expect(first.output == "event a accepted (entry 1)\n")
        #expect(first.errors.contains("waybill reconcile"))
        try await tree.expect(0, "emit", "--type", "b", "--source", "/shop", "--id", "b", "--data", "text: yes")
        let again = try await tree.expect(
            0, "emit", "--type", "b", "--source", "/shop", "--id", "b", "--data", "text: yes", "--json")
        #expect(again.output == #"{"id":"b","isNew":false,"seq":2,"source":"/shop","type":"b"}"# + "\n")
        let other = try await tree.expect(1, "emit", "--type", "c", "--source", "/shop", "--id", "b")
        #expect(other.errors.contains("was accepted as entry 2"))
        try await tree.expect(2, "emit", "--type", "")
        try await tree.expect(2, "emit", "--type", "x", "--key", "")
        try await tree.expect(2, "emit", "--type", "x", "--data", "1", "--data-file", "f.json")
        try tree.write(#"[1, 2]"#, to: "data.json")
        try await tree.expect(0, "emit", "--type", "b", "--id", "c", "--key", "8", "--data-file", "data.json")

        let all = try await tree.expect(0, "events", "--json")
        let events = try all.lines.map { try JSON.parse($0) }
        #expect(events.map { $0.member("seq") } == [.int(1), .int(2), .int(3)])
        #expect(
            events.first?.member("event")
                == (try JSON.parse(
                    #"{"specversion":"1.0","id":"a","source":"/shop","type":"order.paid","key":"7","subject":"orders/7","data":{"amount":3}}"#
                )))
        #expect(try await tree.expect(0, "events", "--type", "b").lines.count == 2)
        #expect(try await tree.expect(0, "events", "--key", "7", "--key", "8").lines.count == 2)
        #expect(try await tree.expect(0, "events", "--since", "1h", "--limit", "1").output.hasPrefix("3\t"))
        #expect(try await tree.expect(0, "events", "--since", "2999-01-01T00:00:00Z").output == "")
        try await tree.expect(2, "events", "--since", "yesterday")
        try await tree.expect(0, "verify")
    }

    @Test("files become entries through the daemon's door, in the order they came, and leave nothing behind")
    func files() async throws {
        let tree = try ScratchTree()
        try await tree.withDaemon { _ in
            for number in 0..<60 { try tree.drop(event("\(number)"), at: "runs/inbox/e\(number).json") }
            try await tree.until("all are accepted") { Self.accepted(tree).count == 60 }
            let emitted = try await tree.expect(0, "emit", "--type", "paid", "--id", "last")
            #expect(emitted.output == "event last accepted (entry 61)\n")
            #expect(try await tree.waybill("emit", "--type", "other", "--id", "last").status == 1)
            try tree.write(event("written"), to: "runs/inbox/written.json")
            try tree.drop(event("5"), at: "runs/inbox/again.json")
            try tree.drop(event("5", type: "other"), at: "runs/inbox/conflict.json")
            #expect(try await tree.untilRefused("conflict.json") == "conflict")
            try await tree.until("the file that was written in place is accepted") {
                Self.accepted(tree).last == "written"
            }
            try await tree.until("the inbox is empty", watching: "inbox/..") {
                tree.names(in: "runs/inbox").allSatisfy { [".claimed", "rejected"].contains($0) }
                    && tree.names(in: "runs/inbox/.claimed").isEmpty
            }
        }
        #expect(Self.accepted(tree) == (0..<60).map { "\($0)" } + ["last", "written"])
        #expect(tree.refusals(in: "runs/inbox") == ["conflict.json": ["conflict"]])
        try await tree.expect(0, "verify")
    }

    @Test("what is no event is refused with a reason, and the journal says so")
    func hostile() async throws {
        let tree = try ScratchTree()
        let large = String(repeating: "x", count: 70_000)
        let files = [
            ("id.json", #"{"specversion":"1.0","source":"/s","type":"t"}"#, "schema"),
            ("version.json", #"{"specversion":"2.0","id":"1","source":"/s","type":"t"}"#, "schema"),
            ("null.json", #"{"specversion":null,"id":"1","source":"/s","type":"t"}"#, "schema"),
            ("key.json", event("1", #","key":7"#), "schema"),
            ("name.json", event("2", #","Key":"7""#), "schema"),
            ("structure.json", event("3", #","extra":{"a":1}"#), "schema"),
            ("both.json", event("4", #","data":1,"data_base64":"YQ==""#), "schema"),
            ("time.json", event("5", #","time":"noon""#), "schema"),
            ("large.json", event("6", #","data":"\#(large)""#), "size"),
            ("twice.json", #"{"specversion":"1.0","specversion":"1.0"}"#, "syntax"),
        ]
        try await tree.expect(0, "reconcile")
        for (name, text, _) in files { try tree.drop(text, at: "runs/inbox/\(name)") }
        try tree.drop(event("good"), at: "runs/inbox/good.json")
        try await tree.expect(0, "reconcile")
        #expect(tree.refusals(in: "runs/inbox") == Dictionary(uniqueKeysWithValues: files.map { ($0.0, [$0.2]) }))
        #expect(Self.accepted(tree) == ["good"])
        #expect(tree.lines("runs/journal.jsonl").count { $0.contains("EVENT_REFUSED") } == files.count - 1)
        #expect(tree.names(in: "runs/inbox/.claimed") == [])
    }

    @Test("killed in a burst of files, the next daemon goes on, and every event is one entry")
    func killed() async throws {
        let tree = try ScratchTree()
        var daemon = try await tree.startDaemon()
        for number in 0..<150 {
            try tree.drop(event("\(number)"), at: "runs/inbox/e\(number).json")
            if number % 40 == 20 {
                try await tree.until("some are accepted") { Self.accepted(tree).count > number / 4 }
                await daemon.kill()
                daemon = try await tree.startDaemon()
            }
        }
        try await tree.until("all are accepted") { Set(Self.accepted(tree)).count == 150 }
        await daemon.stop()
        #expect(Self.accepted(tree).count == 150)
        try await tree.expect(0, "verify")
    }

    @Test("several commands and a daemon that accept the same events agree")
    func together() async throws {
        let tree = try ScratchTree()
        try await withThrowingTaskGroup(of: [String].self) { group in
            for _ in 0..<4 {
                group.addTask {
                    var outputs: [String] = []
                    for number in 0..<4 {
                        outputs.append(
                            try await tree.expect(0, "emit", "--type", "t", "--id", "\(number)", "--json").output)
                    }
                    return outputs
                }
            }
            var seqs: [Set<Value?>] = Array(repeating: [], count: 4)
            for try await outputs in group {
                for (number, output) in outputs.enumerated() {
                    seqs[number].insert(try JSON.parse(output).member("seq"))
                }
            }
            #expect(seqs.allSatisfy { $0.count == 1 })
        }
        #expect(Self.accepted(tree).sorted() == ["0", "1", "2", "3"])
    }

    @Test("events -f shows what comes, as it comes")
    func follow() async throws {
        let tree = try ScratchTree()
        try await tree.expect(0, "emit", "--type", "t", "--id", "before")
        let following = try tree.start(["events", "-f", "--json", "--type", "t"])
        try await tree.until("the past is shown") { following.output.contains("before") }
        try await tree.expect(0, "emit", "--type", "other", "--id", "unwanted")
        try await tree.expect(0, "emit", "--type", "t", "--id", "after")
        try await tree.until("the new one is shown") { following.output.contains("after") }
        await following.stop()
        #expect(following.output.split(separator: "\n").count == 2)
    }
}

import Foundation
import Testing
import WaybillCore

/// Runs that wait for events, and runs that send them.
@Suite("Waiting for events")
struct EventWaitTests {
    private static let files = [
        "workflows/two.yaml": """
        kind: Workflow
        name: two
        steps:
          - {id: big, wait: {event: {type: go, match: event.data.n > 1}}}
          - {id: any, wait: {event: {type: go}}}
        outputs: {big: "${{ steps.big.output.data.n }}", any: "${{ steps.any.output.data.n }}"}
        """,
        "workflows/later.yaml": """
        kind: Workflow
        name: later
        steps:
          - {id: first, wait: {event: {type: go}}}
          - {id: second, wait: {event: {type: go, since: wait}}}
        outputs: {first: "${{ steps.first.output.data.n }}", second: "${{ steps.second.output.data.n }}"}
        """,
        "workflows/keyed.yaml": """
        kind: Workflow
        name: keyed
        inputs: {order: {type: string}}
        steps:
          - {id: paid, wait: {event: {type: paid, key: "${{ inputs.order }}"}}}
          - {id: tell, emit: {type: shipped, key: "${{ inputs.order }}", data: {amount: "${{ steps.paid.output.data }}"}}}
        outputs: {seq: "${{ steps.tell.output.seq }}"}
        """,
        "workflows/loop.yaml": """
        kind: Workflow
        name: loop
        vars: {seen: {default: [], merge: append}}
        start: take
        states:
          take:
            wait: {event: {type: tick}}
            update: {seen: "${{ [output.id] }}"}
            next: [{if: output.id == 'd', to: end}, {to: take}]
        outputs: {seen: "${{ vars.seen }}"}
        """,
        "workflows/patient.yaml": """
        kind: Workflow
        name: patient
        steps:
          - {id: paid, wait: {event: {type: paid}}, timeout: 2s}
        """,
    ]

    private func emit(_ tree: ScratchTree, _ type: String, _ id: String, _ rest: String...) async throws {
        let finished = try await tree.start(["emit", "--type", type, "--id", id] + rest).finish()
        #expect(finished.status == 0, "\(finished)")
    }

    private func outputs(_ tree: ScratchTree, _ run: String) -> Value? {
        tree.member("runs/\(run)/run.json", "outputs")
    }

    @Test("a wait takes the first event since the run's start that fits, also one that came before it opened")
    func early() async throws {
        let tree = try ScratchTree(Self.files)
        try await emit(tree, "go", "0", "--data", "{n: 9}")
        try await tree.withDaemon { _ in
            try await tree.expect(0, "run", "two", "--id", "r")
            try await tree.untilWaiting("r", for: "big")
            #expect(
                tree.member("runs/r/waits/big.json", "emit").map { $0 == .string("waybill emit --type go") } == true)
            try await emit(tree, "other", "1", "--data", "{n: 2}")
            try await emit(tree, "go", "2", "--data", "{n: 1}")
            try await emit(tree, "go", "3", "--data", "{m: 2}")
            try await emit(tree, "go", "4", "--data", "{n: 3}")
            try await tree.untilStatus("r", "completed")
        }
        #expect(outputs(tree, "r") == (try JSON.parse(#"{"big":3,"any":1}"#)))
        let received = try tree.ledger("r").filter { $0.member("type") == .string("EVENT_RECEIVED") }
        #expect(received.map { $0.member("data")?.member("seq") } == [.int(6), .int(4)])
        #expect(received.map { $0.member("actor") } == [.string("event"), .string("event")])
        try await tree.expect(0, "verify")
    }

    @Test("with `since: wait` an event counts that came after the wait opened")
    func later() async throws {
        let tree = try ScratchTree(Self.files)
        try await tree.withDaemon { _ in
            try await tree.expect(0, "run", "later", "--id", "r")
            try await tree.untilWaiting("r", for: "first")
            try await emit(tree, "go", "1", "--data", "{n: 1}")
            try await tree.untilWaiting("r", for: "second")
            try await emit(tree, "go", "2", "--data", "{n: 2}")
            try await tree.untilStatus("r", "completed")
        }
        #expect(outputs(tree, "r") == (try JSON.parse(#"{"first":1,"second":2}"#)))
    }

    @Test("a step takes each event once, in the journal's order, however often it is visited")
    func once() async throws {
        let tree = try ScratchTree(Self.files)
        try await tree.withDaemon { _ in
            try await tree.expect(0, "run", "loop", "--id", "r")
            try await tree.untilWaiting("r", for: "take")
            for id in ["a", "b", "c", "d"] {
                let text = #"{"specversion":"1.0","id":"\#(id)","source":"/clock","type":"tick"}"#
                try tree.drop(text, at: "runs/inbox/\(id).json")
                try tree.drop(text, at: "runs/inbox/\(id)-again.json")
            }
            try await tree.untilStatus("r", "completed")
        }
        #expect(outputs(tree, "r") == (try JSON.parse(#"{"seen":["a","b","c","d"]}"#)))
    }

    @Test("an event wakes the run that waits for its key, whose own event wakes others")
    func keys() async throws {
        let tree = try ScratchTree(Self.files)
        try tree.write(
            """
            kind: Workflow
            name: shipped
            steps:
              - {id: shipped, wait: {event: {type: shipped, match: event.source == '/runs/b/tell'}}}
            outputs: {amount: "${{ steps.shipped.output.data.amount }}"}
            """, to: "workflows/shipped.yaml")
        try await tree.withDaemon { _ in
            try await tree.expect(0, "run", "shipped", "--id", "s")
            for run in ["a", "b"] { try await tree.expect(0, "run", "keyed", "--id", run, "--input", "order=\(run)") }
            for run in ["a", "b"] { try await tree.untilWaiting(run, for: "paid") }
            try await tree.untilWaiting("s", for: "shipped")
            try await emit(tree, "paid", "1", "--key", "b", "--data", "7")
            try await tree.untilStatus("b", "completed")
            try await tree.untilStatus("s", "completed")
        }
        #expect(tree.status("a") == "waiting")
        #expect(outputs(tree, "s") == (try JSON.parse(#"{"amount":7}"#)))
        #expect(try tree.count("EVENT_EMITTED", of: "b") == 1)
        #expect(tree.lines("runs/journal.jsonl").count { $0.contains("EVENT_ACCEPTED") } == 2)
        try await tree.expect(0, "verify")
    }

    @Test("an event that is accepted while no daemon is there is taken by the next one, and by reconcile")
    func withoutDaemon() async throws {
        let tree = try ScratchTree(Self.files)
        for run in ["a", "b"] { try await tree.expect(3, "run", "keyed", "--id", run, "--input", "order=\(run)") }
        try await emit(tree, "paid", "1", "--key", "a", "--data", "1")
        try await tree.expect(3, "reconcile")
        #expect(tree.status("a") == "completed")
        #expect(tree.status("b") == "waiting")
        let daemon = try await tree.startDaemon()
        await daemon.kill()
        try await emit(tree, "paid", "2", "--key", "b", "--data", "2")
        try await tree.withDaemon { _ in try await tree.untilStatus("b", "completed") }
    }

    @Test("`run --wait` without a daemon goes on when another command sends the event")
    func attended() async throws {
        let tree = try ScratchTree(Self.files)
        let attending = try tree.start(["run", "keyed", "--id", "r", "--input", "order=x", "--wait"])
        try await tree.untilWaiting("r", for: "paid")
        try await emit(tree, "paid", "1", "--key", "x", "--data", "1")
        let finished = await attending.finish()
        #expect(finished.status == 0, "\(finished)")
        #expect(tree.status("r") == "completed")
    }

    @Test(
        "at the deadline an event counts that came before it, and none that came after, though nobody looked until later"
    )
    func deadline() async throws {
        let tree = try ScratchTree(Self.files)
        try await tree.expect(3, "run", "patient", "--id", "early")
        try await emit(tree, "paid", "1")
        try await tree.expect(3, "run", "patient", "--id", "late")
        var deadlines: [Timestamp] = []
        for run in ["early", "late"] {
            guard case .string(let text)? = tree.member("runs/\(run)/waits/paid.json", "until"),
                let deadline = Timestamp(rfc3339: text)
            else { throw GaveUp(what: "the wait of \(run) has a deadline", facts: "") }
            deadlines.append(deadline)
        }
        guard
            case .string(let text)? = try JSON.parse(try #require(tree.lines("runs/journal.jsonl").dropFirst().first))
                .member("ts"), let accepted = Timestamp(rfc3339: text)
        else { throw GaveUp(what: "the event is in the journal", facts: "") }
        try await tree.untilPassed(deadlines[1])
        try await emit(tree, "paid", "2")
        try await tree.expect(0, "reconcile")
        // On a machine that stood still meanwhile the first one is late, too.
        #expect(tree.status("early") == (accepted <= deadlines[0] ? "completed" : "failed"))
        #expect(tree.member("runs/late/run.json", "error", "kind") == .string("timeout"))
    }

    @Test("killed again and again, runs that wake each other lose no event and send none twice")
    func killed() async throws {
        let tree = try ScratchTree(Self.files)
        let runs = (0..<6).map { "r\($0)" }
        for run in runs { try await tree.expect(3, "run", "keyed", "--id", run, "--input", "order=\(run)") }
        for (number, run) in runs.enumerated() {
            let daemon = try await tree.startDaemon()
            try tree.drop(
                #"{"specversion":"1.0","id":"\#(number)","source":"/shop","type":"paid","key":"\#(run)","data":1}"#,
                at: "runs/inbox/e\(number).json")
            try await tree.until("the event is in the journal") {
                tree.lines("runs/journal.jsonl").contains { $0.contains(#""key":"\#(run)""#) }
            }
            await daemon.kill()
        }
        try await tree.expect(0, "reconcile")
        for run in runs {
            #expect(tree.status(run) == "completed")
            #expect(try tree.count("EVENT_RECEIVED", of: run) == 1)
        }
        #expect(tree.lines("runs/journal.jsonl").count { $0.contains(#""type":"shipped""#) } == runs.count)
        try await tree.expect(0, "verify")
    }
}

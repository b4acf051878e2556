import Testing
import WaybillCore

@testable import WaybillCommands

@Suite("Runs on a page")
struct RunPageTests {
    private let now = Timestamp(rfc3339: "2026-11-20T12:15:00Z") ?? .earliest
    private let run = RunID("release-1")

    private func glance(_ members: Object) throws -> Glance {
        var object: Object = [
            "format": 1, "id": "release-1", "workflow": "release", "status": "waiting",
            "definition": .string(String(repeating: "ab", count: 32)), "commit": nil,
            "startedAt": "2026-11-20T10:15:00.000000Z", "endedAt": nil,
            "trigger": ["type": "manual", "by": "alice"], "labels": [:], "inputs": ["version": "v1.2.0"],
            "goal": ["summary": "Ship v1.2.0"],
            "progress": [
                "total": 3, "completed": 1, "running": 0, "waiting": 1, "failed": 0, "skipped": 0,
            ],
            "waiting": [["key": "approve", "reason": "user"]], "outputs": nil, "error": nil,
            "ledger": ["seq": 9, "head": .string(String(repeating: "0f", count: 32))],
        ]
        for (name, value) in members { object[name] = value }
        return Glance(try #require(run), object)
    }

    private let wait = OpenWait(object: [
        "run": "release-1", "key": "approve", "prompt": "Ship it?\nReally?", "reason": "user",
        "since": "2026-11-20T11:15:00.000000Z", "until": "2026-11-22T12:15:00.000000Z",
        "default": ["approve": false], "choices": nil, "schema": ["type": "object"],
        "command": "waybill approve release-1 approve",
    ])

    @Test("a waiting run shows its steps, its question and how to answer it")
    func waiting() throws {
        var build = StepHistory.Step(id: "build")
        build.status = "completed"
        build.startedAt = Timestamp(rfc3339: "2026-11-20T10:15:00Z")
        build.endedAt = Timestamp(rfc3339: "2026-11-20T10:15:02.5Z")
        let page = RunPage(
            glance: try glance([:]), steps: [build, StepHistory.Step(id: "publish")], waits: [wait], now: now)
        #expect(
            page.text(for: .plain) == """
                release-1  waiting
                  workflow  release, definition abababababab
                  goal      Ship v1.2.0
                  started   2026-11-20 10:15:00 UTC, 2h ago, by alice (manual)
                  inputs    version=v1.2.0
                  progress  1 completed, 1 waiting of 3 steps
                  ledger    9 entries, head 0f0f0f0f0f0f0f0f

                STEP     STATUS     TIME  DETAIL
                build    completed  2.5s
                publish  pending

                release-1  approve  since 1h ago
                  Ship it?
                  Really?
                  until 2026-11-22 12:15:00 UTC (in 2d), then {"approve":false}
                  $ waybill approve release-1 approve

                """)
    }

    @Test("a run that ended shows its outputs and its error")
    func ended() throws {
        let failed = try glance([
            "status": "failed", "endedAt": "2026-11-20T10:16:00.000000Z", "waiting": [], "goal": nil,
            "outputs": ["path": "/x", "n": 1],
            "error": ["step": "build", "kind": "exit", "message": "exited with code 2"],
        ])
        let summary = RunSummary(glance: failed, waits: [], now: now)
        #expect(
            summary.text(for: .plain) == """
                release-1  failed  in 1m
                  n     1
                  path  /x
                  error: build: exited with code 2
                    $ waybill logs release-1 build --stderr

                """)
        let silent = RunSummary(glance: failed, waits: [], now: now, hasLog: { _ in false })
        #expect(silent.text(for: .plain).hasSuffix("  error: build: exited with code 2\n"))
        let page = RunPage(glance: failed, steps: [], waits: [], now: now).text(for: .plain)
        #expect(page.contains("  ended     2026-11-20 10:16:00 UTC, after 1m\n"))
        #expect(page.hasSuffix("error  build: exited with code 2\n"))
    }

    @Test("a listing shows what is unknown as it is, and what cannot be read first")
    func listing() throws {
        let newer = try glance(["status": "teleported", "waiting": []])
        let broken = Glance(try #require(RunID("broken")), problem: "it has no ledger")
        let sorted = [newer, broken].sorted(by: ListCommand.isNewer)
        #expect(
            ListCommand.table(sorted.map { ($0, depth: 0) }, now: now).tabSeparated == """
                broken\t\tunreadable\t\t\t\tit has no ledger
                release-1\trelease\tteleported\t2026-11-20 10:15:00 UTC\t2h\t1/3\t

                """)
    }

    @Test("runs that others called stand below those, the oldest first")
    func family() throws {
        func called(_ id: String, by parent: String?, at time: String) throws -> Glance {
            Glance(
                try #require(RunID(id)),
                [
                    "id": .string(id), "startedAt": .string("2026-11-20T\(time)Z"),
                    "parent": parent.map { ["run": .string($0)] } ?? .null,
                ])
        }
        let family = RunFamily([
            try called("late", by: "top", at: "10:02:00"), try called("early", by: "top", at: "10:01:00"),
            try called("deep", by: "early", at: "10:01:30"), try called("top", by: nil, at: "10:00:00"),
            try called("orphan", by: "gone", at: "09:00:00"),
        ])
        #expect(family.tops.map(\.run.text) == ["top", "orphan"])
        let below = family.below(try #require(family.tops.first))
        #expect(below.map(\.0.run.text) == ["top", "early", "deep", "late"])
        #expect(below.map(\.depth) == [0, 1, 2, 1])
    }

    @Test("what is inside of a step stands indented below it, and of very many what is not simply done is shown first")
    func nested() throws {
        func step(_ id: String, _ status: String) -> StepHistory.Step {
            var step = StepHistory.Step(id: id)
            step.status = status
            return step
        }
        var steps = [step("load", "running")] + (0..<400).map { step("load-\($0)", "completed") }
        steps[396].status = "failed"
        steps += [step("after", "pending")]
        let text = RunPage(glance: try glance([:]), steps: steps, waits: [], now: now).text(for: .plain)
        let lines = text.split(separator: "\n").map(String.init)
        #expect(lines.contains { $0.hasPrefix("load ") && $0.contains("running") })
        #expect(lines.contains { $0.hasPrefix("  load-0 ") })
        #expect(lines.contains { $0.hasPrefix("  load-395 ") && $0.contains("failed") })
        #expect(lines.contains { $0.hasPrefix("after ") })
        #expect(lines.last == "... and 202 more steps")
    }
}

import Foundation
import Glibc
import Testing
import WaybillCore

/// What is poison to itself is set aside with a reason, and everything else goes on.
@Suite("Poison", .serialized)
struct DegradationTests {
    private static let asking = """
        kind: Workflow
        name: asking
        steps:
          - {id: approve, ask: {prompt: Go?, choices: [go]}}
          - {id: mark, run: 'echo "$WAYBILL_RUN_ID" >> marks'}
        """

    @Test("a run that ends every process that opens it is set aside, until somebody wants it again")
    func run() async throws {
        let tree = try ScratchTree(["workflows/asking.yaml": Self.asking])
        for run in ["p", "q"] { try await tree.expect(3, "run", "asking", "--id", run) }
        // A ledger that nothing vouches for is synced when it is opened.
        try FileManager.default.removeItem(at: tree["runs/p/run.json"])
        try tree.fail(["sync -1 /runs/p/ledger.jsonl"])
        var deaths = 0
        var last: RunningCommand?
        while last == nil, deaths < 40 {
            let daemon = try tree.start(["daemon"], environment: tree.faultyEnvironment)
            try await tree.until("the daemon ends, or has set something aside") {
                !isAlive(daemon.processID) || daemon.errors.contains("p is set aside")
            }
            if isAlive(daemon.processID) { last = daemon } else { deaths += 1 }
        }
        let daemon = try #require(last)
        #expect(deaths == 20)
        try tree.drop("go", at: "runs/q/inbox/approve.txt")
        try await tree.untilStatus("q", "completed")
        let doctor = try await tree.waybill("doctor")
        #expect(doctor.status == 1)
        #expect(
            doctor.lines.contains { $0.contains("1 run set aside") && $0.contains("p (20 processes ended while") },
            "\(doctor)")
        await daemon.stop()
        try tree.fail([])
        try FileManager.default.removeItem(at: tree[".waybill/aside/p.json"])
        try tree.drop("go", at: "runs/p/inbox/approve.txt")
        try await tree.expect(0, "reconcile")
        #expect(tree.lines("marks") == ["q", "p"])
        #expect(tree.names(in: ".waybill/aside") == [])
        #expect(tree.names(in: ".waybill/opening") == [])
        try await tree.expect(0, "verify", "--deep")
    }

    @Test("manifests that are none keep neither the daemon nor the other workflows from working")
    func manifests() async throws {
        let tree = try ScratchTree([
            "workflows/asking.yaml": Self.asking,
            "workflows/broken.yaml": "kind: [",
            "workflows/other.yaml": "kind: Workflow\nname: other\nsteps: [{id: a, run: 5}]\n",
            "workflows/garbage.yaml": "\u{1}\u{2}\u{0}%@",
            "workflows/folder.yaml/readme": "none",
            "workflows/deep.yaml": "kind: Workflow\nname: deep\nsteps: " + String(repeating: "[", count: 50_000),
            "workflows/bomb.yaml":
                "a: &a [x, x, x, x, x, x, x, x]\nb: &b [*a, *a, *a, *a, *a, *a, *a, *a]\n"
                + "c: &c [*b, *b, *b, *b, *b, *b, *b, *b]\nd: [*c, *c, *c, *c, *c, *c, *c, *c]\n",
        ])
        _ = try await tree.run("mkfifo", "workflows/pipe.yaml")
        _ = try await tree.run("ln", "-s", "nowhere.yaml", "workflows/dangling.yaml")
        _ = try await tree.run("ln", "-s", "..", "workflows/loop")
        try await tree.withDaemon { _ in
            try await tree.expect(0, "run", "asking", "--id", "r")
            try await tree.untilWaiting("r", for: "approve")
            try tree.drop("go", at: "runs/r/inbox/approve.txt")
            try await tree.untilStatus("r", "completed")
            let doctor = try await tree.waybill("doctor")
            #expect(doctor.status == 1)
            #expect(doctor.lines.contains { $0.hasPrefix("wrong  manifests") }, "\(doctor)")
        }
    }

    @Test("an event that no condition can read is passed over, one that is none is refused, and the next one fits")
    func events() async throws {
        let tree = try ScratchTree([
            "workflows/listen.yaml": """
            kind: Workflow
            name: listen
            steps:
              - {id: paid, wait: {event: {type: paid, match: event.data.amount > 10}}}
              - {id: mark, run: ["./mark.sh", "${{ string(steps.paid.output.data.amount) }}"]}
            """,
            "workflows/mark.sh": "#!/bin/sh\necho \"$1\" >> marks\n",
        ])
        func event(_ id: String, _ data: String) -> String {
            #"{"specversion":"1.0","type":"paid","source":"/test","id":"\#(id)","data":\#(data)}"#
        }
        try await tree.withDaemon { _ in
            try await tree.expect(0, "run", "listen", "--id", "r")
            try await tree.untilWaiting("r", for: "paid")
            try tree.drop(event("1", #""nothing""#), at: "runs/inbox/e1.json")
            try tree.drop(event("2", #"{"amount":"much"}"#), at: "runs/inbox/e2.json")
            try tree.drop(event("3", String(repeating: "[", count: 2_000)), at: "runs/inbox/e3.json")
            try tree.drop(#"{"specversion":"1.0","type":5}"#, at: "runs/inbox/e4.json")
            try tree.drop(event("5", #"{"amount":50}"#), at: "runs/inbox/e5.json")
            try await tree.untilStatus("r", "completed")
            for file in ["e3.json", "e4.json"] { _ = try await tree.untilRefused(file) }
        }
        #expect(tree.lines("marks") == ["50"])
        try await tree.expect(0, "verify", "--deep")
    }

    @Test("a hook that fails is given up on and named by the doctor, and neither runs nor other hooks wait for it")
    func hooks() async throws {
        let tree = try ScratchTree([
            "workflows/asking.yaml": Self.asking,
            "hooks/run.start.d/bad": "#!/bin/sh\necho no such host\nexit 7\n",
            "hooks/run.start.d/good": "#!/bin/sh\necho \"$WAYBILL_RUN_ID\" >> told\n",
        ])
        try await tree.expect(3, "run", "asking", "--id", "r")
        try await tree.withDaemon { _ in
            try tree.drop("go", at: "runs/r/inbox/approve.txt")
            try await tree.untilStatus("r", "completed")
            try await tree.until("the hook is given up on") { tree.exists(".waybill/hooks/failures.json") }
            let doctor = try await tree.waybill("doctor")
            #expect(doctor.status == 1)
            #expect(
                doctor.lines.contains { $0.hasPrefix("wrong  hooks") && $0.contains("run.start.d/bad") }, "\(doctor)")
        }
        #expect(tree.lines("told") == ["r"])
    }

    @Test("a daemon that is told to stop does, whatever hooks and steps think of it, and the step goes on")
    func stopping() async throws {
        let tree = try ScratchTree([
            "workflows/long.yaml": """
            kind: Workflow
            name: long
            steps: [{id: work, run: [./work.sh]}]
            """,
            "workflows/work.sh": """
            #!/bin/sh
            trap '' TERM
            echo $$ > self.tmp; mv self.tmp runs/self
            while [ ! -e runs/go ]; do sleep 0.02; done
            """,
            "hooks/run.start": "#!/bin/sh\ntrap '' TERM\n: > runs/called\nwhile :; do sleep 1; done\n",
        ])
        let daemon = try await tree.startDaemon()
        try await tree.expect(0, "run", "long", "--id", "r")
        try await tree.until("step and hook are at work") { tree.exists("runs/self") && tree.exists("runs/called") }
        let stopped = await daemon.stop()
        #expect(stopped.status == 0 && !stopped.signalled, "\(stopped)")
        let step = try #require(tree.lines("runs/self").first.flatMap { pid_t($0) })
        #expect(isAlive(step))
        try FileManager.default.removeItem(at: tree["hooks/run.start"])
        try tree.write("", to: "runs/go")
        try await tree.expect(0, "reconcile")
        #expect(tree.status("r") == "completed")
    }
}

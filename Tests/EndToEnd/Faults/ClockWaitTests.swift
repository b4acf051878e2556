import Testing
import WaybillCore

@Suite("Waits for the clock")
struct ClockWaitTests {
    @Test("a deadline fires while a process of the same run is running")
    func besideProcess() async throws {
        // The first process ends only once the step behind the wait has run: a deadline that waited for it would hang.
        let tree = try ScratchTree([
            "workflows/gate.yaml": """
            kind: Workflow
            name: gate
            steps:
              - {id: make, run: [mkfifo, gate]}
              - {id: long, needs: [make], run: {script: "read word < gate; echo \\"$word\\""}, output: text}
              - {id: soon, needs: [make], wait: {for: 100ms}}
              - {id: open, needs: [soon], run: {script: "echo opened > gate"}}
            outputs: {word: "${{ steps.long.output }}"}
            """
        ])
        try await tree.expect(0, "run", "gate", "--id", "r")
        #expect(tree.member("runs/r/run.json", "outputs", "word") == .string("opened"))
    }

    @Test("a command drives a run over waits whose time has come", arguments: 1...3)
    func pastWaits(round: Int) async throws {
        let tree = try ScratchTree([
            "workflows/past.yaml": """
            kind: Workflow
            name: past
            steps:
              - {id: long_ago, wait: {until: "2020-01-01T00:00:00Z"}}
              - {id: now, wait: {for: 0s}}
              - {id: speak, run: [echo, hi], output: text}
            outputs: {said: "${{ steps.speak.output }}"}
            """
        ])
        try await tree.expect(0, "run", "past", "--id", "r\(round)")
        #expect(tree.member("runs/r\(round)/run.json", "outputs", "said") == .string("hi"))
    }
}

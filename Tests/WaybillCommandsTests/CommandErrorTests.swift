import Testing
import WaybillCore
import WaybillPorts
import WaybillRuntime
import WaybillStore

@testable import WaybillCommands

@Suite("Errors of commands")
struct CommandErrorTests {
    @Test("an error says what, where and what to do")
    func text() {
        let error = CommandError(
            "unknown-run", "there is no run 'x'", place: "/t/runs", hint: "`waybill list` names all runs",
            status: .usage)
        #expect(
            error.text == """
                error: there is no run 'x'
                  at: /t/runs
                  hint: `waybill list` names all runs
                """)
        #expect(
            error.value == [
                "error": [
                    "code": "unknown-run", "message": "there is no run 'x'", "where": "/t/runs",
                    "hint": "`waybill list` names all runs", "exit": 2,
                ]
            ])
    }

    @Test("diagnostics come before the error they lead to")
    func diagnostics() {
        let place = SourcePlace(file: "workflows/a.yaml", line: 3, column: 5)
        let error = CommandError(
            RuntimeError(
                .invalidManifest, "the workflow 'a' has mistakes",
                diagnostics: [Diagnostic(message: "unknown field", place: place)]))
        #expect(error.status == .usage)
        #expect(error.code == "invalid-manifest")
        #expect(
            error.text == """
                workflows/a.yaml:3:5: error: unknown field
                error: the workflow 'a' has mistakes
                """)
    }

    @Test("what others hold is tried again, and what does not fit is a wrong command line")
    func statuses() {
        #expect(CommandError(StoreError(.locked, "held")).status == .tryAgain)
        #expect(CommandError(RuntimeError(.busy, "held")).status == .tryAgain)
        #expect(CommandError(RuntimeError(.invalidInputs, "no")).status == .usage)
        #expect(CommandError(RuntimeError(.conflict, "no")).status == .failed)
        #expect(CommandError(RuntimeError(.quarantined, "torn", seq: 7)).message == "entry 7: torn")
    }
}

import Testing
import WaybillCore
import WaybillManifests

@testable import WaybillCommands

@Suite("Reports of diagnostics")
struct DiagnosticReportTests {
    private let report = DiagnosticReport(
        diagnostics: [
            Diagnostic(
                message: "unknown field `neds`, 100% sure",
                place: SourcePlace(file: "workflows/a b.yaml", line: 7, column: 5),
                hint: "did you mean `needs`?"),
            Diagnostic(level: .warning, kind: .contract, message: "may be missing", place: nil),
        ], summary: "1 workflow, 0 policies")

    @Test("text has a place, a level and a hint each, and counts")
    func text() {
        #expect(
            report.text(for: .plain) == """
                workflows/a b.yaml:7:5: error: unknown field `neds`, 100% sure
                  hint: did you mean `needs`?
                warning: may be missing
                1 error, 1 warning; valid: 1 workflow, 0 policies

                """)
        #expect(
            DiagnosticReport(diagnostics: [], summary: "2 workflows, 1 policy").text(for: .plain)
                == "ok: 2 workflows, 1 policy\n")
    }

    @Test("where nothing is wrong the text says what policies apply to, in brief or step by step")
    func coverage() {
        var report = DiagnosticReport(diagnostics: [], summary: "2 workflows, 2 policies")
        report.coverage = [
            PolicyCoverage(
                policy: "all", mode: .enforce, workflow: "a", rules: ["r"], steps: ["x", "y"], isWhole: true),
            PolicyCoverage(
                policy: "tools", mode: .warn, workflow: "a", rules: ["r"], steps: ["x"], isWhole: false),
            PolicyCoverage(policy: "all", mode: .enforce, workflow: "b", rules: ["r"], steps: [], isWhole: false),
            PolicyCoverage(
                policy: "budget", mode: .enforce, workflow: "b", rules: ["cap"], runRules: ["cap"], steps: ["z"],
                isWhole: true),
            PolicyCoverage(
                policy: "gate", mode: .enforce, workflow: "b", rules: ["r", "few"], runRules: ["few"], steps: ["z"],
                isWhole: true),
        ]
        #expect(
            report.text(for: .plain) == """
                ok: 2 workflows, 2 policies
                policy all: 2 steps of 2 workflows (--policies lists them)
                policy tools: 1 step of 1 workflow (--policies lists them)
                policy budget: every run of 1 workflow (--policies lists them)
                policy gate: 1 step of 1 workflow (--policies lists them)

                """)
        report.listsSteps = true
        #expect(
            report.text(for: .plain) == """
                ok: 2 workflows, 2 policies
                policy all: a: every step
                policy tools (warn): a: x
                policy all: b: no step
                policy budget: b: the whole run (cap)
                policy gate: b: every step; the whole run (few)

                """)
        #expect(report.value["policies"]?.listValue?.count == 5)
    }

    @Test("annotations escape what would end them")
    func annotations() {
        #expect(
            report.annotations == """
                ::error file=workflows/a b.yaml,line=7,col=5,title=waybill manifest::unknown field `neds`, 100%25 sure%0Ahint: did you mean `needs`?
                ::warning title=waybill contract::may be missing

                """)
    }

    @Test("SARIF names tool, rule, file and region")
    func sarif() throws {
        let run = try #require(report.sarif["runs"]?.listValue?.first)
        #expect(report.sarif["version"] == "2.1.0")
        #expect(run["tool"]?["driver"]?["name"] == "waybill")
        let results = try #require(run["results"]?.listValue)
        #expect(results.count == 2)
        #expect(results[0]["level"] == "error")
        #expect(results[0]["ruleId"] == "manifest")
        let place = results[0]["locations"]?.listValue?.first?["physicalLocation"]
        #expect(place?["artifactLocation"]?["uri"] == "workflows/a%20b.yaml")
        #expect(place?["region"] == ["startLine": 7, "startColumn": 5])
        #expect(results[1]["locations"] == nil)
    }

    @Test("strict makes errors of warnings about requirements and contracts")
    func strict() {
        let kinds: [Diagnostic.Kind] = [.manifest, .requirement, .contract, .policy]
        let warnings = kinds.map { Diagnostic(level: .warning, kind: $0, message: "") }
        #expect(DiagnosticReport.strict(warnings).map(\.level) == [.warning, .error, .error, .warning])
    }

    @Test("JSON counts and lists")
    func json() {
        #expect(report.value["ok"] == false)
        #expect(report.value["errors"] == 1)
        #expect(report.value["diagnostics"]?.listValue?.count == 2)
    }
}

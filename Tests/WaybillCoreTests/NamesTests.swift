import Testing
import WaybillCore

@Suite("Names")
struct NamesTests {
    @Test("a run id says workflow, second and chance, and sorts by time")
    func runID() throws {
        let time = try #require(Timestamp(rfc3339: "2026-11-20T10:15:00.9Z"))
        let id = RunID.make(workflow: "release", at: time, random: 35 + 36 * 10)
        #expect(id.text == "release-20261120T101500-za0000")
        #expect(id < RunID.make(workflow: "release", at: time + .seconds(1), random: 0))
        let long = RunID.make(workflow: String(repeating: "w", count: 300), at: time, random: 0)
        #expect(long.text.utf8.count == 128)
    }

    @Test(
        "other texts are no run ids",
        arguments: ["", "inbox", ".a", "-a", "_a", "a.b", "a/b", "a b", "é", "a\n", String(repeating: "a", count: 129)])
    func noRunID(text: String) {
        #expect(RunID(text) == nil)
    }

    @Test("callers may choose ids", arguments: ["a", "A9_-", "inbox2", "0", String(repeating: "a", count: 128)])
    func chosenRunID(text: String) {
        #expect(RunID(text)?.description == text)
    }

    @Test("an address leads through groups and items")
    func address() throws {
        let address = Address(id: "load").item(3).child("triage")
        #expect(address.description == "load-3.triage")
        #expect(Address("load-3.triage") == address)
        #expect(address.id == "triage")
        #expect(address.item == nil)
        #expect(address.parent?.description == "load-3")
        #expect(address.parent?.item == 3)
        #expect(address.parent?.parent?.description == "load")
        #expect(address.parent?.parent?.parent == nil)
        #expect(Address("a_1-0.B")?.parts.count == 2)
    }

    @Test(
        "other texts are no addresses",
        arguments: ["", ".", "a.", ".a", "1a", "a-", "a-x", "a-03", "a--1", "a-1-2", "_a", "é", "a-+1"])
    func noAddress(text: String) {
        #expect(Address(text) == nil)
    }

    @Test(
        "the nearest name is suggested, and none where none is near",
        arguments: [
            ("tiemout", "timeout"), ("Timeout", "timeout"), ("neds", "needs"), ("retrys", "retry"), ("retries", nil),
            ("xyz", nil),
            ("", nil),
            ("vreify", "verify"), ("comp", nil),
        ] as [(String, String?)])
    func suggestion(name: String, expected: String?) {
        let names = ["timeout", "needs", "retry", "verify", "compensate"]
        #expect(Suggestion.closest(to: name, among: names) == expected)
        #expect(Suggestion.hint(for: name, among: names) == expected.map { "did you mean '\($0)'?" })
    }

    @Test("of many thousand names few are compared, and few are listed")
    func manyNames() {
        let names = (0..<5_000).map { "name\($0)" }
        #expect(Suggestion.closest(to: "nmae7", among: names) == "name7")
        #expect(Suggestion.closest(to: "completely-other", among: names + ["completely-othr"]) == nil)
        #expect(Suggestion.list(["a", "b"]) == "there are a, b")
        #expect(
            Suggestion.list(names)
                == "there are \(names[..<20].joined(separator: ", ")) and 4980 more")
    }

    @Test("a diagnostic is a line that editors can follow, and its hint")
    func diagnostic() {
        var diagnostic = Diagnostic(
            message: "unknown field 'tiemout'", place: SourcePlace(file: "workflows/a.yaml", line: 3, column: 5),
            hint: "did you mean 'timeout'?")
        #expect(
            diagnostic.text == """
                workflows/a.yaml:3:5: error: unknown field 'tiemout'
                  hint: did you mean 'timeout'?
                """)
        #expect(
            diagnostic.value == [
                "level": "error", "kind": "manifest", "message": "unknown field 'tiemout'", "file": "workflows/a.yaml",
                "line": 3, "column": 5, "hint": "did you mean 'timeout'?",
            ])
        diagnostic.place = nil
        diagnostic.hint = nil
        diagnostic.level = .warning
        #expect(diagnostic.description == "warning: unknown field 'tiemout'")
        #expect(diagnostic.value["line"] == .null)
    }
}

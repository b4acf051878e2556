import Testing
import WaybillCore
import WaybillManifests

@Suite("YAML")
struct YAMLTests {
    private func value(_ text: String) throws -> Value { try YAML.value(Array(text.utf8)) }

    private func problems(_ text: String) -> [String] {
        YAML.documents(Array(text.utf8)).problems.map { problem in
            let hint = problem.hint.map { " (\($0))" } ?? ""
            return "\(problem.mark.line):\(problem.mark.column) \(problem.code): \(problem.message)\(hint)"
        }
    }

    @Test(
        "plain scalars follow the YAML 1.2 core schema",
        arguments: [
            ("~", Value.null), ("", .null), ("null", .null), ("NULL", .null), ("nULL", "nULL"),
            ("true", true), ("False", false), ("yes", "yes"), ("no", "no"), ("on", "on"), ("off", "off"), ("y", "y"),
            ("0755", 755), ("0o755", 493), ("0x1F", 31), ("-12", -12), ("+3", 3), ("1_000", "1_000"),
            ("9223372036854775807", 9_223_372_036_854_775_807),
            ("9223372036854775808", .double(9.223372036854775808e18)),
            ("1.5", 1.5), (".5", 0.5), ("1.", 1.0), ("1e3", 1000.0), ("1e", "1e"), (".", "."), ("-", "-"), ("--", "--"),
            ("190:20:30", "190:20:30"), ("2026-11-20", "2026-11-20"), ("0o9", "0o9"), ("0x", "0x"), ("-0x1", "-0x1"),
            ("!!str 12", "12"), ("!!float 12", 12.0), ("! 12", "12"), ("'12'", "12"), ("\"a\\tb\"", "a\tb"),
        ])
    func coreSchema(text: String, expected: Value) throws {
        // A lone dash would begin a list.
        let value = try value(text == "-" ? "[x, '-']" : "k: \(text)")
        #expect((text == "-" ? value.listValue?[1] : value["k"]) == expected)
    }

    @Test("infinity and NaN are numbers of YAML but no answers")
    func unboundedNumbers() {
        #expect(
            YAML.documents(Array("[.inf, -.INF]".utf8)).documents.first?.value == [
                .double(.infinity), .double(-.infinity),
            ])
        #expect(throws: YAMLError.self) { try value("a: [1, .nan]") }
    }

    @Test("a text has any number of documents, an answer at most one")
    func documents() throws {
        #expect(YAML.documents(Array("a: 1\n---\nb: 2\n".utf8)).documents.map(\.value) == [["a": 1], ["b": 2]])
        #expect(try value("") == .null)
        #expect(try value("# nothing\n") == .null)
        #expect(throws: YAMLError.self) { try value("a: 1\n---\nb: 2\n") }
    }

    @Test("an alias stands for its anchor")
    func aliases() throws {
        #expect(try value("a: &x {k: [1]}\nb: *x\n") == ["a": ["k": [1]], "b": ["k": [1]]])
        #expect(
            problems("a: *none\n") == [
                "1:4 alias: `*none` names no anchor (put quotes around a text that begins with `*`)"
            ])
        #expect(problems("a: &x [*x]\n") == ["1:8 alias: `*x` contains itself"])
    }

    @Test("what YAML allows and a manifest does not is reported, and reading goes on")
    func refusals() {
        let text = """
            a: 1
            a: 2
            <<: {b: 3}
            if: !done
            bin: !!binary aGk=
            ? [x]
            : y
            n: !!int z
            """
        #expect(
            problems(text) == [
                "2:1 duplicateKey: `a` is set twice (first in line 1) (remove one of the two)",
                "3:1 mergeKey: merge keys (`<<`) are not part of YAML 1.2 (write the entries out)",
                "4:5 tag: the tag `!done` is not known here (quote the expression: \"!done\")",
                "5:6 tag: the tag `tag:yaml.org,2002:binary` is not known here (remove the tag)",
                "6:3 key: a key must be a text, not a list",
                "8:4 tag: `z` is no `!!int`",
            ])
    }

    @Test("a duplicate is found among many keys")
    func manyKeys() {
        let keys = (0..<40).map { "k\($0): 1\n" }.joined() + "k7: 2\n"
        #expect(problems(keys) == ["41:1 duplicateKey: `k7` is set twice (first in line 8) (remove one of the two)"])
    }

    @Test(
        "a syntax error has a place and a hint",
        arguments: [
            (
                "a: b: c\n",
                "1:5 syntax: mapping values are not allowed in this context (put quotes around a text that contains `: `, or check the indentation)"
            ),
            (
                "a:\n\tb: 1\n",
                "2:1 syntax: found character that cannot start any token while scanning for the next token (indent with spaces: YAML allows no tabs there)"
            ),
            (
                "a: @x\n",
                "1:4 syntax: found character that cannot start any token while scanning for the next token (put quotes around a text that begins with `@`)"
            ),
            (
                "run: [./a, ${{ x }}]\n",
                "1:13 syntax: did not find expected ',' or ']' while parsing a flow sequence (inside [ ] and { } put quotes around a text with ${{ }})"
            ),
            (
                "a: [1\n",
                "2:1 syntax: did not find expected ',' or ']' while parsing a flow sequence that begins in line 1"
            ),
        ])
    func syntax(text: String, expected: String) {
        #expect(problems(text) == [expected])
    }

    @Test("bytes that are no UTF-8 and control characters are refused with their place")
    func encoding() {
        let bad = YAML.documents(Array("a: 1\nb: ".utf8) + [0xFF])
        #expect(bad.problems.map(\.code) == [.encoding])
        #expect(bad.problems.first?.mark == YAMLMark(line: 2, column: 4, offset: 8))
        #expect(
            problems("a: \u{1}\n") == [
                "1:4 encoding: the control character U+0001 is not allowed (write it as an escape in double quotes)"
            ])
    }

    @Test("a byte order mark moves no column")
    func byteOrderMark() {
        let stream = YAML.documents([0xEF, 0xBB, 0xBF] + Array("a: b".utf8))
        #expect(stream.documents.first?.member("a")?.node.mark == YAMLMark(line: 1, column: 4, offset: 3))
    }

    @Test("a bomb of aliases, a tower of brackets and too long a text are refused")
    func limits() {
        var bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n"
        for level in 1...9 {
            bomb +=
                "a\(level): &a\(level) [" + Array(repeating: "*a\(level - 1)", count: 10).joined(separator: ", ")
                + "]\n"
        }
        #expect(YAML.documents(Array(bomb.utf8)).problems.map(\.message) == ["more than 400000 nodes"])
        let tower = String(repeating: "[", count: 100_000)
        #expect(YAML.documents(Array(tower.utf8)).problems.map(\.message) == ["more than 64 levels of nesting"])
        var limits = YAMLLimits()
        limits.bytes = 10
        #expect(YAML.documents(Array("a: 34567890".utf8), limits: limits).problems.map(\.code) == [.limit])
        limits = YAMLLimits()
        limits.problems = 3
        let stream = YAML.documents(Array("[*a, *a, *a, *a, *a]".utf8), limits: limits)
        #expect(stream.problems.count == 3)
        #expect(stream.documents.isEmpty)
    }

    @Test("any prefix and any single damaged byte of a manifest is read without a crash")
    func damaged() {
        let text = Array(
            "a: &x [1, \"b\\u00e9\", 'c''d']\nb:\n  - |2\n     x\n  - >-\n    y\n    z\n---\n? *x\n: {k: !t v}\n...\n"
                .utf8)
        for length in 0...text.count { _ = YAML.documents(Array(text.prefix(length))) }
        for index in text.indices {
            for byte in [0, 9, 10, 33, 38, 42, 58, 91, 123, 0xC3, 0xFF] as [UInt8] {
                var damaged = text
                damaged[index] = byte
                _ = YAML.documents(damaged)
            }
        }
    }
}

import Testing
import WaybillCore
import WaybillExpressions

@Suite("Parsing")
struct ParserTests {
    @Test(
        "what is no expression is refused where it goes wrong",
        arguments: [
            ("", 5, "expected a value, got the end of the expression"),
            ("1 +", 8, "expected a value, got the end of the expression"),
            ("a = 1", 7, "'=' is no operator; to compare, write '=='"),
            ("a & b", 7, "'&' is no operator; 'and' is '&&'"),
            ("(1", 7, "expected ')', got the end of the expression"),
            ("[1, 2", 10, "expected ']', got the end of the expression"),
            ("{'a' 1}", 10, "expected ':', got a number"),
            ("'abc", 5, "this string is not closed"),
            ("'a\nb'", 5, "this string is not closed on its line"),
            ("'\\q'", 6, "unknown escape; a backslash is written \\\\, or r'...' for a raw string"),
            (
                "9223372036854775808", 5,
                "9223372036854775808 does not fit an int; as a uint it is written 9223372036854775808u"
            ),
            ("18446744073709551616", 5, "18446744073709551616 does not fit 64 bits"),
            ("for", 5, "'for' is a reserved word and cannot be a name"),
            ("a.in", 7, "expected the name of a member, got 'in'"),
            ("has(a)", 9, "has() takes a member, as in has(steps.build.output)"),
            ("[1].map(a.b, 1)", 15, "a plain name for the variable is expected here"),
            ("[1].all(i, i, true)", 16, "the two variables of all() need different names"),
            ("\u{e9} == 1", 5, "'\u{e9}' has no meaning here"),
            ("b'\\u0041'", 7, "bytes have no \\u escapes; write \\x or \\ooo for each byte"),
            ("'\\ud800'", 6, "this escape is no code point"),
            ("1e999", 5, "1e999 does not fit a double"),
            ("12abc", 7, "a letter follows a number"),
        ])
    func errors(source: String, column: Int, message: String) {
        let found = problems(source)
        #expect(found.map(\.message) == ["in the expression: \(message)"])
        #expect(found.first?.place == SourcePlace(file: "w.yaml", line: 3, column: column))
    }

    @Test(
        "depth is bounded long before the stack is",
        arguments: ["(", "[", "{1:", "!(", "f(", "a[", "-(", "true?(", "a.b("])
    func depth(opening: String) {
        let found = problems(String(repeating: opening, count: 5_000))
        #expect(found.count == 1)
        #expect(found.first?.message.contains("levels deep") == true)
    }

    @Test("long chains are bounded too")
    func chains() {
        for source in [
            Array(repeating: "1", count: 400).joined(separator: "+"), String(repeating: "!", count: 400) + "true",
            "a" + String(repeating: ".b", count: 400), "a" + String(repeating: "[0]", count: 400),
        ] {
            #expect(problems(source, ["a": .dyn]).count == 1)
        }
        let long = Array(repeating: "a == 1", count: 2_000).joined(separator: " || ")
        #expect(problems(long, ["a": .dyn]) == [])
        #expect(problems(Array(repeating: "1", count: 200).joined(separator: "+")) == [])
    }

    @Test("a text that is too long is refused before it is read")
    func length() {
        #expect(problems(String(repeating: " ", count: 70_000) + "1").count == 1)
    }

    @Test(
        "literals",
        arguments: [
            ("'\\x41\\u00e9\\U0001F600\\101\\a\\n\\?'", CELValue.string("A\u{e9}\u{1F600}A\u{7}\n?")),
            ("r'\\n\\'", .string("\\n\\")), ("'''a'b\n'''", .string("a'b\n")),
            ("b'\\xff\\377a'", .bytes([255, 255, 97])),
            ("b'\u{e9}'", .bytes([0xC3, 0xA9])), ("Rb\"\\x\"", .bytes([92, 120])), ("1e3", .double(1_000)),
            (".5", .double(0.5)),
            ("0xFFu", .uint(255)), ("[1, 2,]", .list([.int(1), .int(2)])), ("{}", .map(CELMap())), ("null", .null),
        ])
    func literals(source: String, expected: CELValue) throws {
        #expect(try evaluate(source) == expected)
    }
}

@Suite("Depth")
struct DepthTests {
    /// As deep as the parser lets through, evaluated on a thread of the test's pool.
    @Test("what may be written can also be evaluated")
    func deepest() throws {
        let sum = Array(repeating: "1", count: 240).joined(separator: "+")
        #expect(try evaluate(sum) == .int(240))
        let nots = String(repeating: "!", count: 240) + "true"
        #expect(try evaluate(nots) == .bool(true))
        let lists = String(repeating: "[", count: 98) + String(repeating: "]", count: 98)
        #expect(try evaluate("size(\(lists))") == .int(1))
        var folds = "x0"
        for level in (0..<95).reversed() {
            folds = "[1].map(x\(level), \(folds))"
        }
        #expect(try evaluate("size(\(folds))") == .int(1))
        var choices = "1"
        for _ in 0..<95 { choices = "(true ? \(choices) : 0)" }
        #expect(problems(choices) == [])
    }
}

import Testing
import WaybillCore
import WaybillExpressions

@Suite("Regular expressions")
struct RegularExpressionTests {
    @Test(
        "texts are found anywhere unless the pattern is anchored",
        arguments: [
            ("ubb", "hubba", true), ("", "x", true), ("^a", "ba", false), ("a$", "ba", true), ("^$", "", true),
            ("a.c", "a\nc", false),
            ("(?s)a.c", "a\nc", true), ("(?m)^b$", "a\nb\nc", true), ("^b$", "a\nb\nc", false), ("a|b|", "", true),
            ("(ab)+c", "ababc", true),
            ("a{2,3}b", "ab", false), ("^a{2,3}$", "aaa", true), ("^a{2,3}$", "aaaa", false), ("^a{3}$", "aaa", true),
            ("^a{2,}$", "aaaaa", true),
            ("x*", "", true), ("^(a*)*$", "aaab", false), ("^(a|aa)+$", "aaaa", true), ("a{,2}", "a{,2}", true),
            ("^[^a-c]+$", "xyz", true),
            ("[]a]", "]", true), ("[a-]", "-", true), ("^[\\w.-]+$", "a.b-c_1", true), ("\\d", "\u{663}", false),
            ("\\s", "\u{A0}", false),
            ("\\bfoo\\b", "a foo b", true), ("\\bfoo\\b", "afoob", false), ("\\Boo", "foo", true),
            ("(?i)stra\u{df}e", "STRA\u{df}E", true),
            ("(?i)[a-z]+", "ABC", true), ("(?i:a)b", "Ab", true), ("(?i:a)b", "AB", false),
            ("\\x41\\x{1F600}", "A\u{1F600}", true), ("\\101", "A", true),
            ("\\pL\\p{Lu}\\P{L}", "\u{e9}\u{c9}1", true), ("\\p{Greek}", "\u{3b1}", true),
            ("\\p{^Greek}", "\u{3b1}", false), ("[[:alpha:]][[:^digit:]]", "ab", true),
            ("\\Qa.b\\E", "a.b", true), ("\\Qa.b\\E", "axb", false), ("^\\pN$", "\u{663}", true),
            ("(?P<name>a)(?<other>b)", "ab", true), ("a??b", "b", true),
            ("\\Aab\\z", "ab", true), ("^.$", "\u{1F600}", true), ("\\.", "x", false), ("^(?:a|b)?c", "bc", true),
            ("(?i)\u{3c3}", "\u{3a3}", true),
        ])
    func matching(pattern: String, text: String, expected: Bool) throws {
        #expect(try RegularExpression(pattern).matches(text) == expected)
    }

    @Test(
        "what is no pattern, or cannot be matched in linear time, is refused",
        arguments: [
            "(", ")", "[", "[a", "a**", "*a", "+", "a{2}{3}", "a{1001}", "a{3,2}", "[b-a]", "[a-\\d]", "\\", "\\1",
            "(a)\\1", "\\y", "(?=a)", "(?!a)", "(?<=a)",
            "(?<!a)", "(?x)a", "(?P<>a)", "(?P<a", "\\p{Klingon}", "\\xZZ", "\\x{110000}", "[[:foo:]]", "(?i", "\\C",
        ])
    func refused(pattern: String) {
        #expect(throws: PatternError.self) { try RegularExpression(pattern) }
    }

    @Test("hostile patterns are refused at once or matched in linear time")
    func hostile() throws {
        for pattern in [
            "((a{1000}){1000}){1000}", "((a{0}){1000}){1000}", String(repeating: "(", count: 10_000), "(x{500}){500}",
            String(repeating: "a", count: 20_000),
        ] {
            #expect(throws: PatternError.self) { try RegularExpression(pattern) }
        }
        let text = String(repeating: "a", count: 5_000) + "!"
        for pattern in ["^(a+)+$", "^(a|a)*$", "^(a|aa)+$", "(.*)(.*)(.*)(.*)b", "^(([a-z])+.)+[A-Z]([a-z])+$"] {
            var steps = 2_000_000
            #expect(try RegularExpression(pattern).matches(text, steps: &steps) == false)
        }
    }

    @Test("steps are counted, and nothing is said when they are used up")
    func steps() throws {
        let pattern = try RegularExpression("(a|b)*c")
        var steps = 100
        #expect(pattern.matches(String(repeating: "ab", count: 1_000), steps: &steps) == nil)
        #expect(steps < 0)
        steps = 1_000
        #expect(pattern.matches("abc", steps: &steps) == true)
        #expect((1..<1_000).contains(steps))
    }

    @Test(
        "the dialect of ECMA-262 differs where it says so",
        arguments: [
            ("\\s", "\u{A0}", true), ("\\s", "\u{FEFF}", true), ("^[]", "a", false), ("^[^]$", "\n", true),
            (".", "\u{2028}", false), ("\\u00e9", "\u{e9}", true),
            ("\\u{1F600}", "\u{1F600}", true), ("\\ud83d\\ude00", "\u{1F600}", true), ("\\cJ", "\n", true),
            ("[\\b]", "\u{8}", true), ("^\\d+$", "12", true),
            ("\\p{Letter}", "\u{e9}", true), ("\\p{Script=Greek}", "\u{3b1}", true), ("\\w", "\u{e9}", false),
            ("\\/", "/", true), ("^\\0$", "\u{0}", true),
        ])
    func ecma(pattern: String, text: String, expected: Bool) throws {
        #expect(try RegularExpression(pattern, dialect: .ecma262).matches(text) == expected)
    }

    @Test(
        "ECMA-262 refuses what RE2 lets pass",
        arguments: ["a{,2}", "]", "}", "\\a", "\\Q", "\\A", "\\z", "\\pL", "^*", "[\\A]", "\\-a\\y"])
    func ecmaRefused(pattern: String) {
        #expect(throws: PatternError.self) { try RegularExpression(pattern, dialect: .ecma262) }
    }
}

import Testing
import WaybillCore
import WaybillExpressions

@Suite("Functions on strings")
struct StringFunctionTests {
    @Test(
        "positions count code points",
        arguments: [
            ("size('h\u{e9}\u{1F600}')", "3"), ("'h\u{e9}\u{1F600}'.charAt(2)", "'\u{1F600}'"),
            ("'ab'.charAt(2)", "''"),
            ("'tacocat'.indexOf('ac', 2)", "-1"), ("'tacocat'.indexOf('a', 2)", "5"),
            ("'\u{e9}a\u{e9}b'.indexOf('b')", "3"),
            ("'\u{e9}a\u{e9}b'.indexOf('\u{e9}', 1)", "2"), ("'abab'.lastIndexOf('ab')", "2"),
            ("'abab'.lastIndexOf('ab', 1)", "0"), ("'ab'.lastIndexOf('abc')", "-1"), ("'abc'.lastIndexOf('')", "3"),
            ("'h\u{e9}llo'.substring(1, 3)", "'\u{e9}l'"), ("'abc'.substring(3)", "''"),
            ("'ab\u{e9}'.reverse()", "'\u{e9}ba'"),
        ])
    func positions(source: String, expected: String) throws {
        #expect(try evaluate(source) == (try evaluate(expected)))
    }

    @Test(
        "texts are cut, joined, replaced and trimmed",
        arguments: [
            ("'a,b,,c'.split(',')", "['a', 'b', '', 'c']"), ("'a,b,c'.split(',', 2)", "['a', 'b,c']"),
            ("'a,b'.split(',', 0)", "[]"), ("'a,b'.split(',', 1)", "['a,b']"), ("''.split(',')", "['']"),
            ("'h\u{e9}y'.split('')", "['h', '\u{e9}', 'y']"), ("'abc'.split('', 2)", "['a', 'bc']"),
            ("''.split('')", "[]"),
            ("'aaa'.replace('a', 'bb')", "'bbbbbb'"), ("'aaa'.replace('a', 'b', 2)", "'bba'"),
            ("'aaa'.replace('a', 'b', 0)", "'aaa'"), ("'ab'.replace('', '-')", "'-a-b-'"),
            ("'ab'.replace('', '-', 2)", "'-a-b'"), ("'aXa'.replace('aXaX', '')", "'aXa'"),
            ("['a', 'b'].join('-')", "'a-b'"), ("[].join('-')", "''"), ("' \\t\\u00a0x\\n '.trim()", "'x'"),
            ("'aB\u{c9}'.lowerAscii()", "'ab\u{c9}'"), ("'aB\u{e9}'.upperAscii()", "'AB\u{e9}'"),
            ("'ababac'.contains('abac')", "true"), ("'abc'.startsWith('')", "true"),
            ("'abc'.endsWith('abcd')", "false"),
            ("strings.quote('a\"\\n\\u00e9')", "r'\"a\\\"\\n' + '\u{e9}\"'"),
        ])
    func texts(source: String, expected: String) throws {
        #expect(try evaluate(source) == (try evaluate(expected)))
    }

    @Test(
        "positions outside the text are errors",
        arguments: [
            "'abc'.charAt(4)", "'abc'.charAt(-1)", "'abc'.substring(4)", "'abc'.substring(0, 4)",
            "'abc'.indexOf('a', 4)",
            "'abc'.lastIndexOf('a', -1)",
        ])
    func outside(source: String) throws {
        #expect(try failure(of: source).code == .indexOutOfRange)
    }

    @Test(
        "format() takes the verbs of the extension",
        arguments: [
            ("'%s|%s|%s'.format(['a', 1.5, [b'x', null, {'k': duration('90s')}]])", "a|1.5|[x, null, {k: 90s}]"),
            ("'%d %d %d'.format([-3, 4u, 2.5])", "-3 4 2.5"), ("'%b %b %b'.format([5, -5, true])", "101 -101 1"),
            ("'%o %x %X'.format([8, 255, 'hi'])", "10 ff 6869"), ("'%x'.format([b'\\xff\\x00'])", "ff00"),
            ("'%f %.2f %.0f'.format([1, 2.345, 0.5])", "1.000000 2.35 0"), ("'%.1f'.format([0.25])", "0.2"),
            ("'%.3f'.format([999.9996])", "1000.000"), ("'%.2f'.format([-0.001])", "-0.00"),
            ("'%.1f'.format([0.05])", "0.1"),
            ("'%e %.1e'.format([0.0, 12345.0])", "0.000000e+00 1.2e+04"), ("'%.0e'.format([9.5e-7])", "1e-06"),
            ("'%.2e'.format([9.999e99])", "1.00e+100"), ("'%%%s%%'.format([true])", "%true%"),
            ("'%.25f'.format([0.1])", "0.1000000000000000055511151"), ("'%f'.format([-1.0 / 0.0])", "-Infinity"),
            ("'%.3f'.format([1e22])", "10000000000000000000000.000"), ("'%s'.format([int])", "int"),
            ("'%d'.format([1e21])", "1000000000000000000000"), ("'%s'.format([timestamp(0)])", "1970-01-01T00:00:00Z"),
        ])
    func format(source: String, expected: String) throws {
        #expect(try evaluate(source) == .string(expected))
    }

    @Test(
        "format() refuses what it cannot show",
        arguments: [
            "'%d'.format(['x'])", "'%s'.format([])", "'%'.format([1])", "'%y'.format([1])", "'%.9999f'.format([1.0])",
            "'%x'.format([1.5])",
        ])
    func formatErrors(source: String) throws {
        let error = try failure(of: source)
        #expect([.type, .argument].contains(error.code))
        #expect(error.message.contains("%") || error.message.contains("precision"))
    }

    @Test(
        "doubles are written with the fewest digits that read back",
        arguments: [
            (0.1 + 0.2, "0.30000000000000004"), (1e21, "1e+21"), (123_456_789_012_345_683_968, "123456789012345680000"),
            (1e-6, "0.000001"), (1e-7, "1e-7"),
            (-0.0, "-0"), (80, "80"), (Double.leastNonzeroMagnitude, "5e-324"),
            (1.7976931348623157e308, "1.7976931348623157e+308"),
            (6.02214e23, "6.02214e+23"),
        ] as [(Double, String)])
    func doubles(value: Double, expected: String) throws {
        #expect(try evaluate("string(x)", ["x": .double(value)]) == .string(expected))
    }
}

import Testing
import WaybillCore
import WaybillExpressions

@Suite("Functions")
struct FunctionTests {
    @Test(
        "conversions keep the value or say why not",
        arguments: [
            ("int('-42')", "-42"), ("int(3.99)", "3"), ("int(-3.99)", "-3"), ("uint('7')", "7u"), ("uint(2.5)", "2u"),
            ("double('1e3')", "1000.0"), ("double(3)", "3.0"), ("bool('True')", "true"),
            ("string(b'\\xc3\\xa9')", "'\u{e9}'"),
            ("bytes('\u{e9}')", "b'\\xc3\\xa9'"), ("string(1u)", "'1'"), ("string(true)", "'true'"),
            ("type([]) == list", "true"),
            ("int(timestamp(5))", "5"), ("string(duration('1m1.5s'))", "'61.5s'"), ("dyn(1) == 1.0", "true"),
        ])
    func conversions(source: String, expected: String) throws {
        #expect(try evaluate(source) == (try evaluate(expected)))
    }

    @Test(
        "what does not fit is refused",
        arguments: [
            ("int(9223372036854775808.0)", ExpressionError.Code.overflow), ("int(-9223372036854775808.0)", .overflow),
            ("int(0.0 / 0.0)", .overflow), ("uint(-1)", .overflow), ("uint(-0.5)", .overflow),
            ("int('1.5')", .conversion),
            ("int('')", .conversion), ("int(18446744073709551615u)", .overflow), ("bool('yes')", .conversion),
            ("string(b'\\xff')", .conversion), ("double('x')", .conversion), ("timestamp(253402300800)", .overflow),
            ("timestamp('2026-13-01T00:00:00Z')", .conversion), ("duration('1d')", .conversion), ("int([])", .type),
            ("base64.decode('=')", .conversion), ("json.decode('{')", .conversion), ("nothing(1)", .unknownFunction),
            ("1.size()", .type), ("size()", .type), ("math.abs(-9223372036854775808)", .overflow),
            ("[1, 'a'].sort()", .type),
            ("[[1]].sort()", .type), ("[1].slice(0, 2)", .indexOutOfRange), ("[1, 2u].sum()", .type),
            ("'x'.matches('(')", .pattern),
        ])
    func refused(source: String, code: ExpressionError.Code) throws {
        #expect(try failure(of: source).code == code)
    }

    @Test(
        "math",
        arguments: [
            ("math.greatest(1, 2u, 1.5)", "2u"), ("math.least([3, 1, 2])", "1"), ("math.greatest(5)", "5"),
            ("math.round(-2.5)", "-3.0"), ("math.ceil(1.1)", "2.0"), ("math.trunc(-1.9)", "-1.0"),
            ("math.sign(-2.5)", "-1.0"),
            ("math.sqrt(9)", "3.0"), ("math.bitNot(0)", "-1"), ("math.bitXor(5u, 1u)", "4u"),
            ("math.bitShiftLeft(1, 63)", "-9223372036854775808"),
            ("math.bitShiftRight(-1, 63)", "1"), ("math.bitShiftRight(1u, 64)", "0u"),
            ("math.isInf(1.0 / 0.0)", "true"), ("math.abs(-2)", "2"),
        ])
    func math(source: String, expected: String) throws {
        #expect(try evaluate(source) == (try evaluate(expected)))
    }

    @Test(
        "lists and sets",
        arguments: [
            ("[3, 1, 2].sort()", "[1, 2, 3]"), ("['b', 'a'].sort().reverse()", "['b', 'a']"),
            ("[1, 2, 3, 4].slice(1, 3)", "[2, 3]"),
            ("[1, [2, [3]]].flatten()", "[1, 2, [3]]"), ("[1, [2, [3]]].flatten(2)", "[1, 2, 3]"),
            ("[1, [2]].flatten(0)", "[1, [2]]"),
            ("[1, 1.0, 1u, 'a', 'a', [2], [2.0]].distinct()", "[1, 'a', [2]]"), ("lists.range(3)", "[0, 1, 2]"),
            ("lists.range(-1)", "[]"), ("sets.contains([1, 2, 3], [2.0, 3u])", "true"),
            ("sets.equivalent([1, 1, 2], [2, 1])", "true"),
            ("sets.intersects([1], [2])", "false"), ("sets.contains([], [])", "true"),
            ("[{'k': 'b', 'n': 1}, {'k': 'a', 'n': 2}, {'k': 'a', 'n': 3}].sortBy(e, e.k).map(e, e.n)", "[2, 3, 1]"),
        ])
    func lists(source: String, expected: String) throws {
        #expect(try evaluate(source) == (try evaluate(expected)))
    }

    @Test(
        "Waybill's own functions",
        arguments: [
            ("[1, 2, 3].sum()", "6"), ("sum([1.5, 2.5])", "4.0"), ("[].sum()", "0"),
            ("[duration('1s'), duration('2s')].sum()", "duration('3s')"),
            ("json.encode({'b': [1, 2.0, null], 'a': b'hi'})", "r'{\"a\":\"aGk=\",\"b\":[1,2.0,null]}'"),
            ("json.decode('{\"a\": [1, 2.0]}').a", "[1, 2.0]"), ("days(3)", "duration('72h')"),
            ("days(0.5)", "duration('12h')"),
            ("days(duration('50h'))", "2"), ("base64.encode(b'\\x00\\xff')", "'AP8='"),
            ("base64.decode('AP8')", "b'\\x00\\xff'"),
            (
                "formatTime(timestamp('2026-11-20T09:05:03.25Z'), '%Y-%m-%d %H:%M:%S.%f %j %a %B %I%p %%')",
                "'2026-11-20 09:05:03.250000 324 Fri November 09AM %'"
            ),
            ("timestamp('2026-11-20T23:30:00Z').formatTime('%F %R %z', '+02:30')", "'2026-11-21 02:00 +0230'"),
            ("timestamp('2027-01-01T00:00:00Z').formatTime('%G-W%V-%u')", "'2026-W53-5'"),
        ])
    func host(source: String, expected: String) throws {
        #expect(try evaluate(source) == (try evaluate(expected)))
    }

    @Test("times have parts, also as the clocks of a zone show them")
    func times() throws {
        let time = "timestamp('2026-11-20T23:45:06.789Z')"
        let parts: [(String, Int64)] = [
            ("getFullYear()", 2026), ("getMonth()", 10), ("getDate()", 20), ("getDayOfMonth()", 19),
            ("getDayOfWeek()", 5),
            ("getDayOfYear()", 323), ("getHours()", 23), ("getMinutes()", 45), ("getSeconds()", 6),
            ("getMilliseconds()", 789),
            ("getDate('+01:00')", 21), ("getHours('01:00')", 0), ("getMinutes('-00:50')", 55),
        ]
        for (part, expected) in parts { #expect(try evaluate("\(time).\(part)") == .int(expected), "\(part)") }
        #expect(
            try failure(of: "\(time).getHours('Mars/Olympus')").message
                == "getHours(): there is no time zone \"Mars/Olympus\"")
        #expect(try evaluate("duration('-1h30m1.5s').getMinutes()") == .int(-90))
        #expect(try evaluate("duration('1.5s').getMilliseconds()") == .int(500))
    }

    @Test("times and durations are added and subtracted within their range")
    func timeArithmetic() throws {
        #expect(
            try evaluate("timestamp('2024-02-28T23:00:00Z') + duration('25h') == timestamp('2024-03-01T00:00:00Z')")
                == .bool(true))
        #expect(try evaluate("timestamp(10) - timestamp(4) == duration('6s')") == .bool(true))
        #expect(try failure(of: "timestamp('9999-12-31T23:59:59Z') + duration('1s')").code == .overflow)
        #expect(try failure(of: "duration('9223372036s') + duration('9223372036s')").code == .overflow)
        #expect(
            try failure(of: "timestamp('9999-12-31T23:59:59Z') - timestamp('0001-01-01T00:00:00Z')").code == .overflow)
    }
}

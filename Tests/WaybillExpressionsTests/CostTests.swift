import Testing
import WaybillCore
import WaybillExpressions

@Suite("Cost limits")
struct CostTests {
    private static let list = CELValue(.list((0..<2_000).map { .int($0) }))
    private static let text = CELValue.string(String(repeating: "ab", count: 20_000))

    @Test(
        "nothing outruns the limit",
        arguments: [
            "l.all(a, l.all(b, l.all(c, a + b + c >= 0)))",
            "lists.range(9223372036854775807)",
            "l.map(x, l.map(y, l))  .flatten().flatten()",
            "lists.range(40).map(i, t).map(a, t + t + t + t + t + t + t + t).join() + t + t + t + t + t + t + t + t",
            "l.map(x, t.replace('a', t)).size()",
            "l.exists(x, t.matches('(a|b)*c'))",
            "l.all(x, t.contains('bbbb') || x >= 0)",
            "l.map(x, t.split('')).size()",
            "'%s'.format([l.map(x, l)])",
            "l.map(x, json.encode(l)).size()",
            "l.map(x, l.map(y, [x, y])).flatten().distinct().size()",
            "l.map(x, t.reverse().upperAscii().trim()).size()",
            "cel.bind(a, [l, l, l, l, l, l, l, l], cel.bind(b, [a, a, a, a, a, a, a, a], cel.bind(c, [b, b, b, b, b, b, b, b], c == [b, b, b, b, b, b, b, b])))",
            "l.exists(x, false) || l.map(x, t + string(x)).sort().size() > 0",
        ])
    func limits(source: String) throws {
        let limit = CostLimit(units: 100_000)
        let error = try failure(of: source, ["l": Self.list, "t": Self.text], limit: limit)
        #expect(error.code == .costLimit)
    }

    @Test("the limit is no error that && and || may forgive")
    func notAbsorbed() throws {
        #expect(try failure(of: "l.all(a, l.all(b, true)) || true", ["l": Self.list]).code == .costLimit)
        #expect(try failure(of: "l.exists(a, l.all(b, true) && a < 0)", ["l": Self.list]).code == .costLimit)
    }

    @Test("a result is paid for when it becomes JSON")
    func results() throws {
        let source = "cel.bind(a, [l, l, l, l], cel.bind(b, [a, a, a, a], [b, b, b, b, b, b, b, b]))"
        let expression = try Expression.compile(source, place: nil, declarations: .unchecked)
        let error = #expect(throws: ExpressionError.self) {
            try expression.value(in: Variables(["l": Self.list]), limit: CostLimit(units: 100_000))
        }
        #expect(error?.code == .costLimit)
    }

    @Test("ordinary work is far from the limit")
    func ordinary() throws {
        let source = "l.filter(x, x % 2 == 0).map(x, {'n': x, 't': string(x)}).sortBy(e, -e.n)[0].t"
        #expect(try evaluate(source, ["l": Self.list]) == .string("1998"))
        #expect(try evaluate("t.matches('ab$') && t.contains('ba')", ["t": Self.text]) == .bool(true))
    }
}

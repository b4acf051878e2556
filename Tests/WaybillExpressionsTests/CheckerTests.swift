import Testing
import WaybillCore
import WaybillExpressions

@Suite("Checking")
struct CheckerTests {
    private let scope: [String: TypeShape] = [
        "inputs": .object([
            "version": .string, "count": .int, "ratio": .double, "tags": .list(.string), "note": .nullable(.string),
        ]),
        "steps": .object(["build": .openObject(["status": .string, "output": .object(["coverage": .double])])]),
        "any": .dyn,
    ]

    @Test(
        "what can never be evaluated is refused with what to do",
        arguments: [
            ("inptus.version == 'x'", "there is no 'inptus' here", "did you mean 'inputs'?"),
            ("inputs.versoin == 'x'", "there is no member 'versoin'", "did you mean 'version'?"),
            ("inputs['versoin'] == 'x'", "there is no member 'versoin'", "did you mean 'version'?"),
            ("steps.biuld.status", "there is no member 'biuld'", "did you mean 'build'?"),
            ("steps.build.output.coverge > 1.0", "there is no member 'coverge'", "did you mean 'coverage'?"),
            ("has(inputs.tgas)", "there is no member 'tgas'", "did you mean 'tags'?"),
            ("inputs.version.startWith('v')", "there is no function startWith()", "did you mean 'startsWith'?"),
            ("sizes(inputs.tags)", "there is no function sizes()", "did you mean 'size'?"),
            ("inputs.version == 3", "'==' does not take string and int", "values of these types are never equal"),
            ("inputs.version + 3", "'+' does not take string and int", "string() makes a text of a value"),
            (
                "inputs.count + 1.5", "'+' does not take int and double",
                "convert one of them with int(), uint() or double()"
            ),
            (
                "'a' in inputs.version", "'in' does not take string and string",
                "whether a text contains another is asked with a.contains(b)"
            ),
            ("inputs.count.x", "int has no members, so no 'x'", nil),
            ("inputs.count[0]", "int cannot be indexed", nil),
            ("inputs.tags['a']", "a list is indexed by whole numbers, not by string", nil),
            ("inputs.count && true", "'&&' and '||' join conditions, this is int", nil),
            ("!inputs.version", "'!' needs a condition, this is string", nil),
            ("-inputs.version", "'-' needs an int or a double, not string", nil),
            ("inputs.count.all(x, x)", "all() walks over a list or a map, not int", nil),
            ("inputs.tags.all(x, x)", "all() needs a condition, this is string", nil),
            ("inputs.tags.map(t, t.x)", "string has no members, so no 'x'", nil),
            ("inputs.version.matches('(')", "this is no regular expression: this '(' is not closed", nil),
            ("timestamp('yesterday') == any", "this is no time", "a time is written as in 2026-11-20T10:15:00Z"),
            ("duration('3d') == any", "this is no duration", "a duration is written as in 1h30m, 10s or 250ms"),
            ("size(inputs.count)", "size() does not take int", "there is (string) -> int"),
            (
                "inputs.version.substring()", "substring() is not called with 0 arguments after a value and a dot",
                "there is string.substring"
            ),
            ("[?inputs.count]", "'?' needs an optional, such as a.?b or optional.of(x), not int", nil),
            ("{1.5: 2}", "a key is a string, an int, a uint or a bool, not double", nil),
        ] as [(String, String, String?)])
    func errors(source: String, message: String, hint: String?) throws {
        let found = problems(source, scope)
        #expect(found.map(\.message) == ["in the expression: \(message)"])
        #expect(found.first?.level == .error)
        if let hint { #expect(found.first?.hint?.replacing("size(string)", with: "(string)").contains(hint) == true) }
    }

    @Test("every mistake is reported, each at its place")
    func several() {
        let found = problems("inptus.x == 1 && inputs.versoin == 'x'", scope)
        #expect(found.map(\.place?.column) == [5, 29])
    }

    @Test(
        "what values may well satisfy is left to them",
        arguments: [
            "any.thing[0].x() == 1".replacing(".x()", with: ".y"), "inputs.count == 1.0", "inputs.count < 1.5",
            "1 in [1.0]",
            "inputs.note == null", "null != inputs.version", "any ? 1 : 'x'", "[1] + ['a']", "[1, 'a', null][0] == 1",
            "inputs.note.startsWith('x')", "steps.build.other == 3", "{'a': 1, 'b': 'x'}.a == 1",
            "math.greatest(inputs.count, inputs.ratio) > 1", "inputs.tags.exists(t, t == inputs.version)",
            "steps.map(name, steps[name].status)", "inputs.?note.orValue('x') + 'y'", "type(any) == int",
            "[] == inputs.tags",
        ])
    func accepted(source: String) {
        #expect(problems(source, scope) == [])
    }

    @Test("an int divided by an int is suspicious")
    func division() {
        let found = problems("inputs.count / 2 > 1", scope)
        #expect(found.map(\.level) == [.warning])
        #expect(found.map(\.kind) == [.contract])
        #expect(found.first?.hint == "where the fraction counts, write double(x) / y")
        #expect(problems("inputs.ratio / 2.0 > 1.0", scope) == [])
    }

    @Test(
        "types are found out",
        arguments: [
            ("1u", "uint"), ("[1, 2]", "list(int)"), ("[1, 'a']", "list(dyn)"),
            ("{'a': [1.5]}", "map(string, list(double))"),
            ("[[], [1]]", "list(list(int))"), ("[].map(x, x)", "list(dyn)"),
            ("inputs.tags.map(t, size(t))", "list(int)"),
            ("inputs.tags.filter(t, t != '')", "list(string)"), ("inputs.tags[?0]", "optional_type(string)"),
            ("inputs.?version", "optional_type(string)"), ("optional.of(1).orValue(2)", "int"),
            ("timestamp('2026-01-01T00:00:00Z') - timestamp(0)", "google.protobuf.Duration"),
            ("true ? 1 : 2", "int"), ("{'a': 1}.transformMap(k, v, k)", "map(string, string)"), ("type(1)", "type"),
            ("inputs.tags.sum()", "string"), ("json.decode('1')", "dyn"), ("steps.build.output.coverage", "double"),
            ("inputs.tags.sortBy(t, size(t))[0]", "string"), ("cel.bind(x, 1, [x])", "list(int)"),
            ("[null, duration('1s')][0]", "google.protobuf.Duration"), ("any.x", "dyn"), ("steps.build.x", "dyn"),
        ])
    func types(source: String, expected: String) throws {
        #expect(try shape(source, scope) == expected)
    }

    @Test("notations of types come back as they were written")
    func notations() throws {
        for text in [
            "list(map(string, int))", "optional_type(dyn)", "tuple(A, int)", "google.protobuf.Timestamp", "null_type",
        ] {
            #expect(TypeShape(notation: text)?.description == text)
        }
        #expect(TypeShape(notation: "list(") == nil)
        #expect(TypeShape(notation: "") == nil)
    }

    @Test("names are looked up in the container first")
    func containers() throws {
        let declarations = Declarations(["a.b.x": .int, "x": .string, "c.d": .bool], container: "a.b")
        #expect(try Expression.compile("x", place: nil, declarations: declarations).shape == .int)
        #expect(try Expression.compile(".x", place: nil, declarations: declarations).shape == .string)
        #expect(try Expression.compile("c.d", place: nil, declarations: declarations).shape == .bool)
        let scope = Variables(["a.b.x": .int(1), "x": .string("x")])
        #expect(try Expression.compile("[x, .x]", place: nil, declarations: declarations).value(in: scope) == [1, "x"])
    }
}

import Testing
import WaybillCore

@testable import WaybillManifests

/// Every field of every manifest, as the grammar's own tables list them: a field that is added is tested with the rest.
@Suite("Mistakes in every field of the grammar")
struct GrammarTests {
    private enum Kind: CaseIterable {
        case scalar, list, map

        /// Something of that kind that is nothing else.
        var text: String {
            switch self {
            case .scalar: "7"
            case .list: "[[7]]"
            case .map: "{zz: 7}"
            }
        }
    }

    /// All tables that a manifest may hold.
    private static let tables: [FieldTable] = {
        var found: [FieldTable] = []
        func collect(_ shape: Shape) {
            switch shape {
            case .scalar, .literal, .templated, .schema: break
            case .list(let element, _): collect(element)
            case .entries(_, let value, _): collect(value)
            case .either(let shapes): shapes.forEach(collect)
            case .nested(_, let table): collect(.fields(table()))
            case .fields(let table):
                guard !found.contains(where: { $0 === table }) else { return }
                found.append(table)
                for field in table.fields where field.isOffered { collect(field.shape) }
            }
        }
        for kind in ManifestDocument.Kind.allCases { collect(.fields(kind.table)) }
        return found
    }()

    private static var offered: [(table: FieldTable, field: Field)] {
        tables.flatMap { table in table.fields.filter(\.isOffered).map { (table, $0) } }
    }

    /// What may stand at a place; all kinds for a value of the author's choice.
    private func kinds(_ shape: Shape) -> Set<Kind> {
        switch shape {
        case .scalar: [.scalar]
        case .list: [.list]
        case .fields, .nested, .entries: [.map]
        case .schema: [.map]
        case .literal, .templated: Set(Kind.allCases)
        case .either(let shapes): shapes.reduce(into: []) { $0.formUnion(kinds($1)) }
        }
    }

    private func takesAnything(_ shape: Shape) -> Bool {
        switch shape {
        case .literal, .templated: true
        case .either(let shapes): shapes.contains(where: takesAnything)
        default: false
        }
    }

    private func check(_ text: String, _ table: FieldTable) throws -> [Diagnostic] {
        let report = Report(path: "workflows/w.yaml", bytes: Array(text.utf8))
        let node = try #require(YAML.documents(report.bytes).documents.first)
        ShapeChecker(report: report).check(node, .fields(table), subject: "it")
        return report.diagnostics
    }

    @Test("a value of the wrong kind is named with its field, what is expected, and its place")
    func wrongKinds() throws {
        #expect(Self.tables.count > 40)
        for (table, field) in Self.offered {
            for kind in Kind.allCases where !kinds(field.shape).contains(kind) {
                let found = try check("{\(field.name): \(kind.text)}", table)
                let column = field.name.count + 4
                #expect(
                    found.contains {
                        $0.place?.line == 1 && $0.place?.column == column
                            && $0.message.hasPrefix("`\(field.name)` expects ")
                    }, "\(table.what), \(field.name): \(kind.text): \(found.map(\.text))")
            }
        }
    }

    @Test("a field without a value is named with its place")
    func nothing() throws {
        for (table, field) in Self.offered where !takesAnything(field.shape) {
            let found = try check("{\(field.name): }", table)
            #expect(
                found.contains { $0.place?.line == 1 && $0.message.hasPrefix("`\(field.name)` expects ") },
                "\(table.what), \(field.name): \(found.map(\.text))")
        }
    }

    @Test("a misspelt field is named at its place, with what was meant")
    func unknownFields() throws {
        for (table, field) in Self.offered where field.name.count >= 4 {
            let found = try check("{\(field.name)x: 1}", table)
            #expect(
                found.contains {
                    $0.place?.column == 2 && $0.message == "\(table.what) has no field `\(field.name)x`"
                        && $0.hint == "did you mean '\(field.name)'?"
                }, "\(table.what), \(field.name): \(found.map(\.text))")
            // What was meant is there: it is one mistake.
            #expect(!found.contains { $0.message.contains("needs `\(field.name)`") })
        }
    }

    @Test("a missing field is named at the place of its map, with what is expected there")
    func missingFields() throws {
        for table in Self.tables {
            let found = try check("\n  {}", table)
            for field in table.fields where field.isRequired {
                #expect(
                    found.contains {
                        $0.message == "\(table.what) needs `\(field.name)`" && $0.hint?.isEmpty == false
                            && $0.place?.line == 2 && $0.place?.column == 3
                    }, "\(table.what), \(field.name)")
            }
            for choice in table.choices where choice.isRequired {
                #expect(found.contains { $0.hint?.hasPrefix("give it one of ") == true }, "\(table.what)")
            }
        }
    }

    @Test("two fields that exclude each other are one mistake, at the second")
    func contradictions() throws {
        for table in Self.tables {
            for choice in table.choices {
                let names = choice.names.filter { table.field($0)?.isOffered == true }
                for (first, second) in zip(names, names.dropFirst()) {
                    let found = try check("{\(first): 7, \(second): 7}", table)
                    #expect(
                        found.contains {
                            $0.place?.column == first.count + 7 && $0.hint == "keep one of the two"
                                && $0.message.hasSuffix("and `\(second)` stands beside `\(first)`")
                        }, "\(table.what): \(first), \(second)")
                }
            }
        }
    }

    private static let actions: [(name: String, text: String)] = [
        ("run", "run: [make]"), ("http", "http: {url: 'http://h/'}"), ("ask", "ask: {prompt: x}"),
        ("wait", "wait: {for: 1m}"), ("first", "first: {x: {for: 1m}}"), ("emit", "emit: {type: t}"),
        ("call", "call: {workflow: other}"), ("steps", "steps: [{id: i, set: {x: 1}}]"), ("uses", "uses: c@1"),
        ("set", "set: {x: 1}"), ("snapshot", "snapshot: {name: s}"), ("fail", "fail: {message: m}"),
        ("finish", "finish: {}"),
    ]

    @Test("a modifier that means nothing for an action is refused, with the actions it belongs to")
    func strayModifiers() {
        #expect(
            Self.actions.map(\.name).sorted()
                == Grammar.step.choices[0].names.filter { Grammar.step.field($0)?.isOffered == true }.sorted())
        for field in Grammar.step.fields where field.isOffered && !field.actions.isEmpty {
            for action in Self.actions where !field.actions.contains(action.name) {
                let column = action.text.count + 15
                let found = load(["workflows/w.yaml": graph("{id: a, \(action.text), \(field.name): 7}")]).diagnostics
                #expect(
                    found.contains {
                        $0.place?.line == 4 && $0.place?.column == column
                            && $0.message == "`\(field.name)` means nothing for `\(action.name)`"
                            && $0.hint?.contains("it belongs to `") == true
                    }, "\(action.name), \(field.name): \(found.map(\.text))")
            }
        }
    }

    @Test(
        "whatever stands in a field, the reader says where it is wrong, and goes on",
        arguments: [
            "~", "7", "-1", "1.5", ".inf", "true", "''", "x y", "[]", "[[7]]", "{}", "{zz: 7}", "[~]", "{x: ~}",
            "[x, x]",
            "\"${{ nope }}\"", "\"${{ steps.a.output }}\"", "\"${{\"", "'}}'", "\"\\0\"", "[{}]", "{x: {x: {x: {}}}}",
            "99999999999999999999", "2026-11-20", "&x [1]", "[{id: b, fail: {message: m}}]",
        ])
    func anything(value: String) {
        for (name, action) in Self.actions {
            for field in Grammar.step.fields where field.isOffered {
                let text =
                    field.name == name ? "{id: a, \(name): \(value)}" : "{id: a, \(action), \(field.name): \(value)}"
                expectPlaces(graph(text))
                expectPlaces(machine("a: {\(action), \(field.name): \(value), next: end}"))
            }
        }
        for kind in ManifestDocument.Kind.allCases {
            for field in kind.table.fields where field.isOffered {
                expectPlaces("kind: \(kind.rawValue)\nname: w\n\(field.name): \(value)\n")
            }
        }
    }

    private func expectPlaces(_ text: String) {
        for diagnostic in load(["workflows/w.yaml": text]).diagnostics {
            #expect(
                diagnostic.place?.file == "workflows/w.yaml" && (diagnostic.place?.column ?? 0) > 0,
                "\(diagnostic.text) in \(text)")
        }
    }
}

import WaybillCore

/// Makes a definition of a `kind: Test` whose shape was checked.
struct TestReader {
    let report: Report
    let fields: Fields

    /// Nil where it has no name or workflow.
    func read() -> TestDefinition? {
        let cases = cases()
        guard let name = fields.text("name"), let workflow = fields.text("workflow") else { return nil }
        let mark = fields.node("name")?.mark ?? fields.mark
        var test = TestDefinition(
            name: name, place: report.place(mark), sourcePath: report.path, workflow: workflow)
        test.cases = cases
        return test
    }

    private func cases() -> [TestCase] {
        var first: [String: YAMLMark] = [:]
        return fields.list("cases").compactMap { node in
            guard let fields = Fields(node), let name = fields.text("name"), let mark = fields.node("name")?.mark
            else { return nil }
            if let other = first.updateValue(mark, forKey: name) {
                report.error(
                    "the name \(Phrase.quoted(name)) is taken in line \(other.line)", at: mark,
                    hint: "rename one of the two")
            }
            return testCase(fields, name: name, at: mark)
        }
    }

    private func testCase(_ fields: Fields, name: String, at mark: YAMLMark) -> TestCase {
        var test = TestCase(name: name, place: report.place(mark))
        test.inputs = ValueReader(report: report).object(fields.entries("inputs"))
        for member in fields.entries("stubs") {
            test.stubs[member.key] = Self.either(member.node).compactMap { Fields($0).map(stub) }
        }
        test.answers = fields.entries("answers").map { ($0.key, $0.node.value) }
        test.events = fields.list("events").map(\.value)
        test.advance = fields.duration("advance")
        if let expect = fields.fields("expect") { test.expect = expectation(expect) }
        return test
    }

    /// The entries of a list, or the one thing that stands in its place.
    static func either(_ node: YAMLNode) -> [YAMLNode] {
        if case .sequence(let nodes) = node.content { return nodes }
        return [node]
    }

    private func stub(_ fields: Fields) -> TestStub {
        var stub = TestStub(place: report.place(fields.mark))
        stub.exitCode = fields.integer("exitCode")
        stub.signal = fields.scalar("signal").flatMap(SignalNumber.read)
        if let error = fields.fields("error"), let kind = error.text("kind") {
            stub.error = (kind, error.text("message") ?? "")
        }
        stub.output = fields.node("output")?.value
        stub.status = fields.integer("status")
        stub.headers = ValueReader(report: report).object(fields.entries("headers"))
        stub.artifacts = fields.texts("artifacts")
        stub.takes = fields.duration("takes")
        stub.isLost = fields.flag("lost") ?? false
        return stub
    }

    private func expectation(_ fields: Fields) -> TestExpectation {
        var expect = TestExpectation()
        expect.place = report.place(fields.mark)
        if fields.members.isEmpty {
            report.error("`expect` is empty", at: fields.mark, hint: "name a `status` at least")
        }
        expect.status = fields.text("status")
        expect.outputs = fields.node("outputs")?.value
        expect.error = fields.node("error")?.value
        expect.steps = fields.entries("steps").map { ($0.key, $0.node.value) }
        expect.ledger = fields.list("ledger").map(\.value)
        expect.waiting = fields.node("waiting") != nil ? fields.texts("waiting") : nil
        return expect
    }
}

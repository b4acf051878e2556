import Testing
import WaybillManifests
import WaybillRuntime

@Suite("Reading a tree on many threads")
struct WorkersTests {
    /// Workflows, some of which call the next, and the capability they use; every seventh has a mistake.
    private static let files: [SourceFile] = (0..<300).map { number in
        let text =
            number == 299
            ? "{kind: Capability, name: c, version: 1.0.0, inputs: {v: {type: string}}, run: [make]}"
            : """
            kind: Workflow
            name: w\(number)
            steps:
              - {id: a, uses: c@1, with: {v: x}}
              - {id: b, \(number % 7 == 3 ? "rnu" : "run"): [x]}
              - {id: d, \([0, 2].contains(number % 7) ? "call: {workflow: w\(number + 1)}" : "set: {x: 1}")}
            """
        return SourceFile(path: "workflows/\(number).yaml", bytes: Array(text.utf8))
    }

    @Test("they find what one thread finds, and say it in the same order")
    func sameCatalog() {
        let one = Catalog.load(Self.files, exists: { _ in true })
        let many = Catalog.load(Self.files, exists: { _ in true }, workers: .threads)
        #expect(one.diagnostics.count > 40)
        #expect(many.diagnostics == one.diagnostics)
        #expect(many.workflows.keys.sorted() == one.workflows.keys.sorted())
        #expect(many.workflows.count > 200)
        #expect(many.setAside == one.setAside)
        #expect(many.capabilities.map(\.name) == ["c"])
    }
}

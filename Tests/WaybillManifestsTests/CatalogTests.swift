import Synchronization
import Testing
import WaybillCore
import WaybillManifests

@Suite("The catalog of a tree")
struct CatalogTests {
    private static let good = "kind: Workflow\nname: good\nsteps: [{id: a, set: {x: 1}}]\n"

    @Test("a file with an error is set aside as a whole, and the others stand")
    func setAside() {
        let bad = "kind: Workflow\nname: one\nsteps: [{id: a, set: {}}]\n---\nkind: Workflow\nname: two\nsteps: []\n"
        let catalog = load(["workflows/bad.yaml": bad, "workflows/deep/good.yml": Self.good])
        #expect(catalog.workflows.keys.sorted() == ["good"])
        #expect(catalog.setAside == ["one", "two"])
        #expect(catalog.workflows["good"]?.sourcePath == "workflows/deep/good.yml")
        #expect(
            catalog.diagnostics.map(\.text) == [
                "workflows/bad.yaml:7:8: error: `steps` is empty\n  hint: it needs at least 1 of its entries"
            ])
    }

    @Test("a name that two documents claim belongs to neither, and both places are named")
    func duplicates() {
        let other = Self.good.replacing("good", with: "other")
        let catalog = load([
            "workflows/a.yaml": Self.good + "---\n" + other, "workflows/b.yaml": "\n" + Self.good,
        ])
        #expect(catalog.workflows.keys.sorted() == ["other"])
        #expect(catalog.setAside == ["good"])
        #expect(
            catalog.diagnostics.map(\.text) == [
                "workflows/b.yaml:3:7: error: the name `good` is taken at workflows/a.yaml:2:7\n  hint: rename one of the two"
            ])
    }

    @Test("a workflow and a policy may share a name")
    func kinds() {
        let policy = "kind: Policy\nname: good\nrules: [{id: r, at: step.before, deny: false}]\n"
        let catalog = load(["workflows/a.yaml": Self.good + "---\n" + policy])
        #expect(catalog.diagnostics == [])
        #expect(catalog.workflows.count == 1)
        #expect(catalog.policies.map(\.name) == ["good"])
    }

    @Test("a program beside the workflow that is missing is a warning, and the workflow stands")
    func programs() {
        let text = graph("{id: a, run: [./publish.sh, x]}", "{id: b, run: [make]}", "{id: c, run: [/bin/true]}")
        let asked = Mutex<[String]>([])
        let catalog = load(["workflows/release/w.yaml": text]) { path in
            asked.withLock { $0.append(path) }
            return false
        }
        #expect(asked.withLock { $0 } == ["workflows/release/publish.sh"])
        #expect(catalog.workflows.count == 1)
        #expect(
            catalog.diagnostics == [
                Diagnostic(
                    level: .warning, kind: .executor,
                    message:
                        "the program `./publish.sh` does not stand beside the workflow: no file `workflows/release/publish.sh`",
                    place: SourcePlace(file: "workflows/release/w.yaml", line: 4, column: 19),
                    hint: "add the file and make it executable")
            ])
        #expect(
            diagnose(graph("{id: a, run: [../../up.sh]}")) == ["4:19 the program `../../up.sh` leaves the tree"])
    }
}

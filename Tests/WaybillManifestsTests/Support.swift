import WaybillCore
import WaybillManifests

/// Loads files given as texts; every program beside a workflow exists.
func load(_ files: [String: String], exists: (String) -> Bool = { _ in true }) -> Catalog {
    Catalog.load(files.map { SourceFile(path: $0.key, bytes: Array($0.value.utf8)) }, exists: exists)
}

/// The diagnostics of one file, each as `line:column message (hint)`; warnings are marked.
func diagnose(_ text: String, exists: (String) -> Bool = { _ in true }) -> [String] {
    load(["workflows/w.yaml": text], exists: exists).diagnostics.map { diagnostic in
        let place = diagnostic.place.map { "\($0.line):\($0.column) " } ?? ""
        let level = diagnostic.level == .error ? "" : "\(diagnostic.level.rawValue): "
        return place + level + diagnostic.message + (diagnostic.hint.map { " (\($0))" } ?? "")
    }
}

/// A workflow with these steps, each a line in flow style; the first stands in line 4.
func graph(_ steps: String...) -> String {
    "kind: Workflow\nname: w\nsteps:\n" + steps.map { "  - \($0)\n" }.joined()
}

/// A workflow with these states, each a line in flow style; the first stands in line 4.
func machine(_ states: String...) -> String {
    "kind: Workflow\nname: w\nstates:\n" + states.map { "  \($0)\n" }.joined()
}

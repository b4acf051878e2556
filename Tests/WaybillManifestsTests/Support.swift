import Foundation
import WaybillCore
import WaybillManifests

/// Loads files given as texts; every program beside a workflow exists.
func load(_ files: [String: String], exists: @escaping @Sendable (String) -> Bool = { _ in true }) -> Catalog {
    Catalog.load(files.map { SourceFile(path: $0.key, bytes: Array($0.value.utf8)) }, exists: exists)
}

/// The diagnostics of one file, each as `line:column message (hint)`; warnings are marked.
func diagnose(_ text: String, exists: @escaping @Sendable (String) -> Bool = { _ in true }) -> [String] {
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

/// The manifests of this repository's own tree.
enum ExampleManifests {
    static func all() throws -> [(path: String, text: String)] {
        let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().appending(path: "workflows")
        let paths = FileManager.default.enumerator(atPath: root.path())?.compactMap { $0 as? String } ?? []
        return try paths.filter { $0.hasSuffix(".yaml") || $0.hasSuffix(".yml") }.sorted().map { path in
            (path, try String(contentsOf: root.appending(path: path), encoding: .utf8))
        }
    }
}

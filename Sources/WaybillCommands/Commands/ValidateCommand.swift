import ArgumentParser
import SystemPackage
import WaybillCore
import WaybillManifests
import WaybillPorts
import WaybillRuntime
import WaybillStore

struct ValidateCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "validate", abstract: "Report everything that is wrong with a tree's manifests, in one go.",
        discussion: """
            Exits 2 if there is an error. Where there is none, a line for each workflow says which policies will apply to \
            a run of it that starts now; --policies lists the steps, and --json always does.
            """)

    enum Format: String, ExpressibleByArgument, CaseIterable {
        case text, json, sarif, github
    }

    @OptionGroup var options: GlobalOptions
    @Argument(help: "A tree, or a file or folder in one; what is said is about that alone.", completion: .file())
    var path: String?
    @Option(help: "text, json, sarif, or github for annotations in GitHub Actions.")
    var format: Format?
    @Flag(help: "Take warnings about requirements and contracts as errors.")
    var strict = false
    @Flag(help: "List the steps that each policy will apply to.")
    var policies = false

    func run() throws {
        let scope = try ManifestScope(path: path, options)
        let catalog = try scope.load()
        var diagnostics = catalog.diagnostics.filter { scope.contains($0.place?.file) }
        if strict { diagnostics = DiagnosticReport.strict(diagnostics) }
        var report = DiagnosticReport(diagnostics: diagnostics, summary: Self.summary(catalog))
        report.coverage = catalog.coverage.filter { scope.contains(catalog.workflows[$0.workflow]?.sourcePath) }
        report.listsSteps = policies
        let console = options.console
        switch format ?? (options.isJSON ? .json : .text) {
        case .text: console.output.write(Array(report.text(for: console.terminal).utf8))
        case .json: console.output.prettyJSON(report.value)
        case .sarif: console.output.prettyJSON(report.sarif)
        case .github: console.output.write(Array(report.annotations.utf8))
        }
        if report.errors > 0 { throw ExitStatus.usage.exit }
    }

    static func summary(_ catalog: Catalog) -> String {
        var parts = [
            Text.count(catalog.workflows.count, "workflow"), Text.count(catalog.policies.count, "policy", "policies"),
        ]
        if !catalog.capabilities.isEmpty {
            parts.append(Text.count(catalog.capabilities.count, "capability", "capabilities"))
        }
        if !catalog.tests.isEmpty { parts.append(Text.count(catalog.tests.count, "test")) }
        if !catalog.declarations.isEmpty { parts.append(Text.count(catalog.declarations.count, "declared run")) }
        return parts.joined(separator: ", ")
    }
}

/// What `validate` was asked to look at: always a whole tree, as names and policies reach across files, of which only
/// a part may be of interest.
struct ManifestScope {
    private let root: FilePath
    /// Relative to the root; nil for all of it.
    private let part: String?

    init(path: String?, _ options: GlobalOptions) throws(CommandError) {
        guard let path else {
            root = try options.root()
            part = nil
            return
        }
        let given = FilePath(path)
        let based = options.directory.map { FilePath($0).pushing(given) } ?? given
        guard TreeSearch.exists(based) else {
            throw CommandError("not-found", "\(based) does not exist", status: .usage)
        }
        let isFolder = TreeSearch.isFolder(based)
        let folder = try TreeSearch.real(isFolder ? based.string : Self.parent(of: based))
        let place = isFolder ? folder : folder.appending(based.lastComponent?.string ?? "")
        if TreeSearch.isFolder(place.appending("workflows")) {
            root = place
            part = nil
            return
        }
        var above = folder
        while !TreeSearch.isFolder(above.appending("workflows")) {
            guard above.removeLastComponent() else {
                throw CommandError(
                    "no-tree", "\(place) lies in no tree: no folder above it has workflows/",
                    hint: "`waybill init` makes one", status: .usage)
            }
        }
        root = above
        var relative = place
        _ = relative.removePrefix(above)
        part = relative.string
        guard relative.starts(with: "workflows") else {
            throw CommandError(
                "no-manifest", "\(place) is not beneath workflows/, so it is no manifest of the tree at \(above)",
                status: .usage)
        }
    }

    private static func parent(of path: FilePath) -> String {
        let parent = path.removingLastComponent()
        return parent.isEmpty ? "." : parent.string
    }

    func contains(_ file: String?) -> Bool {
        guard let part else { return true }
        return file == part || file?.hasPrefix(part + "/") == true
    }

    func load() throws -> Catalog {
        guard let directory = try LocalFileSystem().openDirectory(root) else {
            throw CommandError("no-tree", "\(root) is gone", status: .usage)
        }
        if let part, try directory.status(FilePath(part)) == nil {
            throw CommandError("not-found", "there is no \(part) in \(root)", status: .usage)
        }
        return try SourceTree(root: directory).catalog
    }
}

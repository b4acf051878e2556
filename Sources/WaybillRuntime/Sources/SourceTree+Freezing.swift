package import SystemPackage
import WaybillCore
import WaybillExpressions
package import WaybillManifests
import WaybillPorts
package import WaybillStore

extension SourceTree {
    /// What a run of a workflow is started with: its file and those of all workflows it may come to call, the policies
    /// that match them, the capabilities they use, the settings, and the files that belong to each of these.
    ///
    /// Every file keeps its path in the tree, so a program stands beside the manifest that names it.
    ///
    /// - Parameter commit: gives the commit that has exactly the files at these paths; nil if none has.
    package func freeze(
        _ workflow: WorkflowDefinition, commit: ([String]) -> String?
    ) throws(RuntimeError) -> FrozenDefinition {
        var parts = FrozenParts()
        for called in catalog.closure(of: workflow).values {
            parts.add(called)
            for policy in catalog.policies where policy.match.matches(workflow: called.name, labels: called.labels) {
                parts.manifests.insert(policy.sourcePath)
            }
        }
        if let settings = catalog.settings.place { parts.manifests.insert(settings.file) }
        var sources = parts.manifests.compactMap { path in
            bytes(of: path).map { FrozenDefinition.Source(path: path, bytes: $0) }
        }
        do throws(FileSystemError) {
            for (folder, patterns) in parts.globs { parts.files.formUnion(try files(matching: patterns, in: folder)) }
            for path in parts.files.subtracting(parts.manifests) {
                if let source = try self.source(at: path) { sources.append(source) }
            }
        } catch {
            throw RuntimeError(StoreError(error))
        }
        sources.sort { $0.path.precedesInCodePoints($1.path) }
        return FrozenDefinition(workflow: workflow.name, commit: commit(sources.map(\.path)), sources: sources)
    }

    /// The path of a program that is frozen with a run, relative to the folder of the manifest that names it; nil for
    /// names that are looked up in `PATH` and for absolute paths.
    package static func frozenPath(of program: String) -> FilePath? {
        guard program.utf8.contains(UInt8(ascii: "/")), !program.hasPrefix("/") else { return nil }
        return FilePath(program).lexicallyNormalized()
    }

    /// Nil where no regular file stands.
    private func source(at path: String) throws(FileSystemError) -> FrozenDefinition.Source? {
        guard let file = try root.open(FilePath(path), .read) else { return nil }
        defer { file.close() }
        let status = try file.status()
        guard status.kind == .file else { return nil }
        return FrozenDefinition.Source(
            path: path, bytes: try file.readAll(limit: RunFolders.largestSource),
            isExecutable: status.permissions & 0o111 != 0)
    }

    private func files(matching patterns: Set<String>, in folder: String) throws(FileSystemError) -> Set<String> {
        guard let directory = try root.openDirectory(FilePath(folder)) else { return [] }
        var paths: Set<String> = []
        for pattern in patterns {
            guard let glob = try? Glob(pattern) else { continue }
            for file in try glob.files(in: directory) { paths.insert(FilePath(folder).pushing(FilePath(file)).string) }
        }
        return paths
    }
}

/// The paths of what is frozen, relative to the tree's root.
private struct FrozenParts {
    var manifests: Set<String> = []
    /// Programs.
    var files: Set<String> = []
    /// `files` of workflows, by the folder they are relative to.
    var globs: [String: Set<String>] = [:]

    mutating func add(_ workflow: WorkflowDefinition) {
        manifests.insert(workflow.sourcePath)
        if !workflow.files.isEmpty {
            globs[Self.folder(of: workflow.sourcePath).string, default: []].formUnion(workflow.files)
        }
        var capabilities: [CapabilityDefinition] = []
        workflow.visitSteps { visit in
            if case .uses(let use) = visit.step.action, let capability = use.capability {
                capabilities.append(capability)
            }
            add(programOf: visit.step, in: workflow.sourcePath)
        }
        for capability in capabilities {
            manifests.insert(capability.sourcePath)
            capability.visitSteps { add(programOf: $0.step, in: capability.sourcePath) }
        }
    }

    private mutating func add(programOf step: StepDefinition, in manifest: String) {
        guard case .run(let action) = step.action, case .argv(let arguments) = action.command,
            case .constant(.string(let program))? = arguments.first, let file = SourceTree.frozenPath(of: program)
        else { return }
        files.insert(Self.folder(of: manifest).pushing(file).lexicallyNormalized().string)
    }

    private static func folder(of manifest: String) -> FilePath { FilePath(manifest).removingLastComponent() }
}

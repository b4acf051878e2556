import ArgumentParser
import WaybillCore
import WaybillEngine
import WaybillManifests
import WaybillRuntime
import WaybillStore

struct TestCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "test", abstract: "Play the cases of the tree's `kind: Test` manifests.",
        discussion: """
            No process runs and no file is written: steps come to what the case's stubs say, and the clock is the case's \
            own. Exits 1 if a case fails, 2 if a manifest is invalid.
            """)

    @OptionGroup var options: GlobalOptions
    @Argument(help: "A file or folder with tests, or the name of a test or of a workflow; all tests unless said.")
    var subject: String?
    @Option(name: .customLong("case"), help: "Only the case of this name.")
    var caseName: String?
    @Flag(help: "Print what happened in every case, not only in those that fail.")
    var story = false

    func run() throws {
        let tree = try options.tree()
        let (catalog, tests) = try load(tree)
        var reports: [TestReport] = []
        for test in tests {
            guard let workflow = catalog.workflows[test.workflow] else { continue }
            let definition = RunDefinition(workflow: workflow, of: catalog, digest: .zero, zones: tree.zones)
            reports += TestRunner.run(test, case: caseName, definition: definition)
        }
        guard !reports.isEmpty else {
            throw CommandError("no-test", "no case matches", hint: "`waybill test` plays all of them", status: .usage)
        }
        print(reports)
        if reports.contains(where: { !$0.hasPassed }) { throw ExitStatus.failed.exit }
    }

    private func load(_ tree: Tree) throws -> (catalog: Catalog, tests: [TestDefinition]) {
        let catalog = try SourceTree(root: tree.root).catalog
        let errors = catalog.diagnostics.filter { $0.level == .error }
        guard errors.isEmpty else {
            let report = DiagnosticReport(diagnostics: errors, summary: ValidateCommand.summary(catalog))
            options.console.output.write(Array(report.text(for: options.console.terminal).utf8))
            throw ExitStatus.usage.exit
        }
        guard let subject else { return (catalog, catalog.tests) }
        let tests = catalog.tests.filter { test in
            let prefix = subject.hasSuffix("/") ? subject : subject + "/"
            return test.name == subject || test.workflow == subject || test.sourcePath == subject
                || test.sourcePath.hasPrefix(prefix)
        }
        guard !tests.isEmpty else {
            let known = catalog.tests.map(\.name)
            throw CommandError(
                "no-test", "there is no test '\(subject)', and none of a workflow or in a file of that name",
                hint: Suggestion.hint(for: subject, among: known), status: .usage)
        }
        return (catalog, tests)
    }

    private func print(_ reports: [TestReport]) {
        let output = options.console.output
        guard !options.isJSON else {
            return output.prettyJSON(.list(reports.map(\.value)))
        }
        for report in reports {
            output.line("\(report.hasPassed ? "ok  " : "FAIL") \(report.test): \(report.name)")
            if let problem = report.problem { output.line("     \(report.place): \(problem)") }
            for miss in report.misses {
                output.line("     \(report.place): \(miss.subject)")
                output.line("       expected \(miss.expected)")
                output.line("       got      \(miss.actual)")
            }
            guard story || !report.hasPassed else { continue }
            for line in report.story { output.line("       | \(line)") }
        }
        let failed = reports.count { !$0.hasPassed }
        output.line("\(Text.count(reports.count, "case")), \(failed == 0 ? "all passed" : "\(failed) failed")")
    }
}

extension TestReport {
    fileprivate var value: Value {
        var object: Object = [
            "test": .string(test), "case": .string(name), "place": .string(place.description),
            "passed": .bool(hasPassed), "story": .list(story.map(Value.string)),
            "misses": .list(
                misses.map {
                    [
                        "subject": .string($0.subject), "expected": .string($0.expected), "actual": .string($0.actual),
                    ]
                }),
        ]
        object["problem"] = problem.map(Value.string)
        return .object(object)
    }
}

import Glibc
import SystemPackage
import WaybillCore
import WaybillManifests
import WaybillPorts
import WaybillRuntime
import WaybillStore

/// A tree of manifests as `waybill validate` takes it (found, read, parsed, checked, linked), beside a parser that only
/// makes lists and maps of the same files.
enum Validation {
    /// Seconds on the clock, and of the processor's time on all threads.
    private struct Cost {
        var seconds: Double
        var processorSeconds: Double
    }

    private static let lines = 50
    /// What a daemon waits for after it has heard of a change.
    private static let settlingMilliseconds = 20.0

    static func measure(_ bench: Workbench) async throws -> [Figure] {
        let count = bench.size(10_000)
        let root = bench.path("manifests")
        defer { bench.remove(root) }
        try write(count, to: root)
        let hasPyYAML = (try? pyYAML(root, bench)) != nil
        let parser = hasPyYAML ? pyYAML : bareEvents
        let name = hasPyYAML ? "PyYAML CSafeLoader, parsing only" : "bare libyaml, events only"
        var ours: [Cost] = []
        var theirs: [Cost] = []
        var changes: [Double] = []
        var looks: [Double] = []
        try await bench.rounds(5) {
            theirs.append(try parser(root, bench))
            ours.append(try validate(count, root))
        }
        guard let folder = try LocalFileSystem().openDirectory(root) else { throw Errno.noSuchFileOrDirectory }
        var sources = try SourceTree(root: folder)
        try await bench.rounds(20) {
            changes.append(try change(changes.count, &sources, root) + settlingMilliseconds)
            let watch = Stopwatch()
            guard try !sources.refresh() else { throw BenchmarkError(description: "a change was not taken in whole") }
            looks.append(watch.seconds * 1_000)
        }
        let title = "\(Text.count(count)) manifests of \(lines) lines"
        return [
            Figure(
                name: title, unit: "s", samples: ours.map(\.seconds),
                baseline: .init(name: "s, \(name)", samples: theirs.map(\.seconds))),
            Figure(
                name: "\(title), processor time", unit: "s", samples: ours.map(\.processorSeconds),
                baseline: .init(name: "s, \(name)", samples: theirs.map(\.processorSeconds))),
            Figure(
                name: "one of \(Text.count(count)) changed, until it counts", unit: "ms", samples: changes,
                bar: .atMost(50)),
            Figure(name: "a look whether any of \(Text.count(count)) changed", unit: "ms", samples: looks),
        ]
    }

    /// Changes one manifest, and takes it in as a daemon does that heard of it; which lets 20 ms pass before, in case that
    /// more is to come.
    ///
    /// - Returns: milliseconds.
    private static func change(
        _ number: Int, _ sources: inout SourceTree, _ root: FilePath
    ) throws -> Double {
        let label = "changed-\(number)"
        let text = manifest(7).replacing("team: team-7", with: "team: \(label)")
        let path = "workflows/team-7/release-7.yaml"
        try PlainFile.write(Array(text.utf8), to: root.at(path))
        let watch = Stopwatch()
        guard try sources.refresh(changed: [path]),
            sources.catalog.workflows["release-7"]?.labels["team"] == .string(label)
        else {
            throw BenchmarkError(description: "the change was not seen")
        }
        return watch.seconds * 1_000
    }

    private static func validate(_ count: Int, _ root: FilePath) throws -> Cost {
        let processor = Host.processorSeconds
        let watch = Stopwatch()
        guard let folder = try LocalFileSystem().openDirectory(root) else { throw Errno.noSuchFileOrDirectory }
        let catalog = try SourceTree(root: folder).catalog
        let coverage = catalog.coverage
        let cost = Cost(seconds: watch.seconds, processorSeconds: Host.processorSeconds - processor)
        guard catalog.workflows.count == count, coverage.isEmpty, catalog.diagnostics.isEmpty else {
            throw BenchmarkError(description: catalog.diagnostics.first?.text ?? "manifests are missing")
        }
        return cost
    }

    // MARK: - Baselines

    /// The interpreter's start is not counted.
    ///
    /// - Throws: where there is no Python, no PyYAML, or none with libyaml in it.
    private static func pyYAML(_ root: FilePath, _ bench: Workbench) throws -> Cost {
        let script = """
            import os, sys, time, yaml
            loader = yaml.CSafeLoader
            wall, processor = time.perf_counter(), time.process_time()
            for folder, _, names in os.walk(os.path.join(sys.argv[1], "workflows")):
                for name in names:
                    with open(os.path.join(folder, name), "rb") as file:
                        yaml.load(file, Loader=loader)
            print(time.perf_counter() - wall, time.process_time() - processor)
            """
        let output = bench.path("python")
        defer { bench.remove(output) }
        try PlainProcess(["/usr/bin/env", "python3", "-c", script, root.string], output: output).wait()
        let numbers = (PlainFile.text(output) ?? "").split { $0.isWhitespace }.compactMap { Double($0) }
        guard numbers.count == 2 else { throw BenchmarkError(description: "Python says nothing") }
        return Cost(seconds: numbers[0], processorSeconds: numbers[1])
    }

    /// Where PyYAML is not at hand: the events that any parser on top of libyaml begins with.
    private static func bareEvents(_ root: FilePath, _ bench: Workbench) throws -> Cost {
        let processor = Host.processorSeconds
        let watch = Stopwatch()
        for folder in 0..<folders {
            let folder = root.at("workflows/team-\(folder)")
            guard let listing = try LocalFileSystem().openDirectory(folder)?.listing(".") else { continue }
            while case let batch = try listing.next(limit: 1_024), !batch.isEmpty {
                for entry in batch {
                    let text = PlainFile.text(folder.appending(entry.name)) ?? ""
                    let reader = YAMLEventReader(Array(text.utf8))
                    while try reader.next() != nil {}
                }
            }
        }
        return Cost(seconds: watch.seconds, processorSeconds: Host.processorSeconds - processor)
    }

    // MARK: - The tree

    private static let folders = 100

    private static func write(_ count: Int, to root: FilePath) throws {
        mkdir(root.string, 0o700)
        mkdir(root.at("workflows").string, 0o700)
        for folder in 0..<folders { mkdir(root.at("workflows/team-\(folder)").string, 0o700) }
        for number in 0..<count {
            let text = manifest(number)
            guard text.utf8.count(where: { $0 == UInt8(ascii: "\n") }) == lines else {
                throw BenchmarkError(description: "the manifest has not \(lines) lines")
            }
            let path = "workflows/team-\(number % folders)/release-\(number).yaml"
            try PlainFile.write(Array(text.utf8), to: root.at(path))
        }
    }

    /// A release of a product, with most of what the language has.
    private static func manifest(_ number: Int) -> String {
        """
        kind: Workflow
        name: release-\(number)
        failure: compensate
        labels: {environment: production, team: team-\(number % folders)}
        inputs:
          version: {type: string, pattern: '^v\\d+\\.\\d+\\.\\d+$'}
          coverage: {type: number, default: 80.0}
          regions: {type: array, items: {type: string}, default: [eu-west-1, us-east-1]}
        context: {repository: product-\(number), minCoverage: 75.5}
        goal: {summary: "Ship ${{ inputs.version }} of ${{ context.repository }}"}
        concurrency: {group: "release-\(number % folders)", limit: 1, onLimit: queue}
        retry: {maxAttempts: 3, backoff: exponential, initial: 1s, max: 1m, jitter: full, on: [exit, timeout]}
        limits: {steps: 1000, elapsed: 7d, active: 2h}
        steps:
          - id: build
            # Everything that comes later works on what is made here.
            run: [make, dist]
            env: {VERSION: "${{ inputs.version }}"}
            timeout: 10m
            output:
              format: json
              schema:
                type: object
                properties: {coverage: {type: number}, files: {type: array, items: {type: string}}}
                required: [coverage, files]
            artifacts: [dist/*.tar.gz]
            verify: [output.coverage >= context.minCoverage]
          - id: scan
            needs: [build]
            run: [scan, --level, high, "${{ steps.build.artifacts[0].path }}"]
            retry: {maxAttempts: 2}
            continueOnError: true
          - id: stage
            needs: [build]
            forEach: {items: "${{ inputs.regions }}", maxParallel: 4}
            run: [publish, staging, "${{ item }}", "${{ steps.build.artifacts[0].path }}"]
            compensate: {run: [unpublish, staging, "${{ item }}"]}
          - id: approve
            needs: [stage, scan]
            ask:
              prompt: "Ship ${{ inputs.version }} with ${{ steps.build.output.coverage }} %?"
              approval: true
              timeout: 48h
              default: {approve: false}
          - {id: refused, if: "!steps.approve.output.approve", fail: {message: refused}}
          - id: notify
            http: {method: POST, url: "https://chat.example/\(number)", json: {text: "${{ inputs.version }} is out"}}
          - id: record
            set: {version: "${{ inputs.version }}", files: "${{ size(steps.build.output.files) }}"}
        outputs: {coverage: "${{ steps.build.output.coverage }}"}

        """
    }
}

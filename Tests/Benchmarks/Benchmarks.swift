import Glibc
import SystemPackage
import WaybillCore

/// Measures Waybill and, in the same run on the same files and cores, what the bare machine does.
struct Benchmarks {
    private typealias Suite = @Sendable (Workbench) async throws -> [Figure]

    private static let suites: [(name: String, title: String, measure: Suite)] = [
        ("expression", "Evaluating an expression", Evaluation.measure),
        ("decision", "Cost of one decision", Decisions.measure),
        ("validate", "Validating a tree", Validation.measure),
        ("pure", "Durable pure steps", PureSteps.measure),
        ("runs", "A run of two steps from request to end", WholeRuns.measure),
        ("process", "Process steps", ProcessSteps.measure),
        ("supervision", "A program under its monitor", Supervision.measure),
        ("output", "Memory for a step that prints 1 GiB", LoudStep.measure),
        ("answer", "Answer dropped by mv to the next step", Answers.measure),
        ("crowd", "Answers and events for many runs that wait", Crowds.measure),
        ("start", "Start-up of the command", StartUp.measure),
        ("verify", "Verification of chain and heads", Verification.measure),
        ("growth", "Cost per step as a run grows", Growth.measure),
        ("memory", "Memory of a daemon", Memory.measure),
        ("restart", "A daemon's start in a full tree", Restart.measure),
        ("size", "Trees of ever more runs", TreeSizes.measure),
        ("idle", "A daemon with nothing to do", Idle.measure),
    ]

    static let names = suites.map(\.name)

    private let options: Options
    private let bench: Workbench

    init(_ options: Options) throws {
        self.options = options
        bench = try Workbench(options)
    }

    func run() async throws {
        defer { bench.cleanUp() }
        let host = Host(directory: bench.directory)
        print(host.text)
        if options.isQuick { print("Quick: few rounds and small sizes, not to be quoted.") }
        print("Medians, with the 10th and 90th percentile of the rounds.")
        var results: [(name: String, figures: [Figure])] = []
        let start = Stopwatch()
        for suite in Self.suites where options.only.isEmpty || options.only.contains(suite.name) {
            _ = try FileDescriptor.standardError.writeAll("measuring \(suite.name) ...\n".utf8)
            let figures = try await suite.measure(bench)
            print("\n" + Table.text(suite.title, figures), terminator: "")
            fflush(nil)
            results.append((suite.name, figures))
        }
        let end = Host.load
        print("\nTook \(Text.number(start.seconds)) s. Load average \(host.loadAtStart) before, \(end) after.")
        guard let path = options.json else { return }
        let suites = results.map { result -> Value in
            ["suite": .string(result.name), "figures": .list(result.figures.map(\.value))]
        }
        let report: Value = [
            "format": 1, "machine": host.value, "loadAtEnd": .string(end), "quick": .bool(options.isQuick),
            "suites": .list(suites),
        ]
        try PlainFile.write(JSON.pretty(report), to: path)
    }
}

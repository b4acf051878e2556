import ArgumentParser
import Logging
import WaybillCore
import WaybillEngine
import WaybillRuntime

struct ReconcileCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "reconcile", abstract: "Do everything that is due, wait for its steps, and exit.",
        discussion: """
            The whole system can live in a crontab line: * * * * * waybill -C /srv/flows reconcile
            Exits 0, or 3 if runs wait for something, or 75 if others work on all that was due.
            """)

    @OptionGroup var options: GlobalOptions
    @Flag(name: .shortAndLong, help: "Log what is done on the standard error.")
    var verbose = false

    func run() async throws {
        let tree = try options.tree()
        let isJSON = options.isJSON
        let log = verbose ? Logger(label: "waybill") { _ in StandardErrorLog(isJSON: isJSON) } : nil
        let report = try await Interruption.ending { try await Driving(tree: tree, log: log).settle(.everything) }
        let summary = ReconcileSummary(report)
        options.console.print(summary.value, text: summary.text)
        for (run, problem) in report.problems.sorted(by: { $0.key < $1.key }) {
            options.console.note("\(run): \(CommandError(problem).message)")
        }
        if summary.status != .done { throw summary.status.exit }
    }
}

/// What a reconciliation came to, in one line.
struct ReconcileSummary {
    private let counts: [(status: String, count: Int)]
    private let problems: [(run: RunID, error: RuntimeError)]
    let status: ExitStatus

    init(_ report: SettleReport) {
        let statuses = report.runs.values.map(\.status.rawValue)
        counts = Dictionary(grouping: statuses) { $0 }.map { ($0.key, $0.value.count) }.sorted { $0.status < $1.status }
        problems = report.problems.map { ($0.key, $0.value) }.sorted { $0.run < $1.run }
        let isBroken = problems.contains { $0.error.code != .busy }
        let isWaiting = report.runs.values.contains { !$0.status.isEnded }
        if isBroken {
            status = .failed
        } else if isWaiting {
            status = .waiting
        } else {
            status = problems.isEmpty ? .done : .tryAgain
        }
    }

    var text: String {
        var parts = counts.map { "\($0.count) \($0.status)" }
        if !problems.isEmpty { parts.append("\(problems.count) could not be worked on") }
        return parts.isEmpty ? "nothing to do" : parts.joined(separator: ", ")
    }

    var value: Value {
        [
            "runs": .object(Object(counts.map { ($0.status, .int(Int64($0.count))) })),
            "problems": .list(
                problems.map { problem in
                    [
                        "run": .string(problem.run.text), "code": .string(problem.error.code.rawValue),
                        "message": .string(problem.error.message),
                    ]
                }),
        ]
    }
}

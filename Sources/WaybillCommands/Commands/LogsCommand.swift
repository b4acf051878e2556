import ArgumentParser
import SystemPackage
import WaybillCore
import WaybillEngine
import WaybillPorts
import WaybillRuntime
import WaybillStore

struct LogsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "logs", abstract: "Print what steps have printed.",
        discussion: """
            Without a step: the standard output and error of every attempt of the run, in order. With one: the standard \
            output of its newest attempt.
            """)

    @OptionGroup var options: GlobalOptions
    @Argument(
        help: ArgumentHelp("The run's id, or the beginning of it.", valueName: "run"),
        completion: .custom(Completions.runs))
    var runName: String
    @Argument(help: "A step's address.")
    var step: String?
    @Flag(help: "The standard error instead of the standard output.")
    var stderr = false
    @Option(help: ArgumentHelp("Of this attempt, not of the newest.", valueName: "n"))
    var attempt: Int?
    @Option(help: ArgumentHelp("Of this visit, not of the newest.", valueName: "n"))
    var visit: Int?

    private struct Log {
        var attempt: AttemptReference
        var stream: String
        var path: FilePath {
            RunFolder.attempt(attempt.step, visit: attempt.visit, attempt: attempt.attempt).appending("\(stream).log")
        }
    }

    func run() throws {
        let tree = try options.tree()
        let folder = try tree.run(named: runName)
        let logs = try logs(of: folder, in: tree)
        let console = options.console
        for (index, log) in logs.enumerated() {
            guard let file = try folder.directory.open(log.path, .read) else { continue }
            defer { file.close() }
            if console.isJSON {
                console.output.json(try value(log, file))
                continue
            }
            if step == nil {
                let size = try file.status().size
                if size == 0 { continue }
                let name = "\(log.attempt.step) \(log.attempt.visit).\(log.attempt.attempt) \(log.stream)"
                console.output.line((index == 0 ? "" : "\n") + console.terminal.paint("==> \(name) <==", .bold))
            }
            try copy(file, to: console.output)
        }
    }

    private func logs(of folder: RunFolder, in tree: Tree) throws -> [Log] {
        var history = StepHistory()
        let genesis = try folder.read(RunFolder.index, limit: RunFolders.largestSource).map { Digest.sha256($0) }
        _ = try tree.ledgers.scan(folder.run, from: .start(genesis: genesis ?? .zero), knownHeads: [:]) {
            history.take($0.entry)
        }
        let streams = step == nil && !stderr ? ["stdout", "stderr"] : [stderr ? "stderr" : "stdout"]
        var attempts = history.attempts.filter { reference in
            (step == nil || reference.step == step) && (attempt == nil || reference.attempt == attempt)
                && (visit == nil || reference.visit == visit)
        }
        guard let step else { return attempts.flatMap { attempt in streams.map { Log(attempt: attempt, stream: $0) } } }
        guard let newest = attempts.popLast() else {
            let steps = Set(history.attempts.map(\.step))
            guard steps.contains(step) else {
                let hint = Suggestion.hint(for: step, among: steps)
                throw CommandError(
                    "no-log", "no process of step '\(step)' has run in \(folder.run)",
                    hint: hint ?? (steps.isEmpty ? nil : "there are logs of \(steps.sorted().joined(separator: ", "))"),
                    status: .usage)
            }
            throw CommandError(
                "no-log", "step '\(step)' has no such attempt in \(folder.run)",
                hint: "`ls \(folder.directory.path)/steps/\(step)` shows <visit>.<attempt>", status: .usage)
        }
        return streams.map { Log(attempt: newest, stream: $0) }
    }

    private func value(_ log: Log, _ file: any File) throws -> Value {
        let bytes = try file.readAll(limit: LaunchRequest.defaultLogLimitBytes + 1_048_576)
        return [
            "step": .string(log.attempt.step), "visit": .int(Int64(log.attempt.visit)),
            "attempt": .int(Int64(log.attempt.attempt)), "stream": .string(log.stream),
            "text": .string(String(decoding: bytes, as: UTF8.self)),
        ]
    }

    private func copy(_ file: any File, to output: Output) throws {
        var offset: Int64 = 0
        while true {
            let bytes = try file.read(at: offset, count: 1 << 20)
            if bytes.isEmpty { return }
            output.write(bytes)
            offset += Int64(bytes.count)
        }
    }
}

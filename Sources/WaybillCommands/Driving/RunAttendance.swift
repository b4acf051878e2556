import SystemPackage
import WaybillCore
import WaybillEngine
import WaybillManifests
import WaybillPorts
import WaybillRuntime
import WaybillStore

/// A run seen from the command line that started it: shown while it goes on, driven where nobody else does, and
/// summed up at the end.
struct RunAttendance: Sendable {
    private static let frame = Duration.milliseconds(80)
    /// How long a run may be in other hands and not come to rest before a command without `--wait` gives up.
    private static let patience = Duration.seconds(15)

    let tree: Tree
    let folder: RunFolder
    let console: Console
    /// Whether what happened before is shown as well.
    var isNew = true
    /// What the command has read of the tree's manifests.
    var manifests = ManifestCache()

    /// Drives the run until nothing of it is due, stays until it has ended, or both.
    ///
    /// - Throws: ``CommandError``, with `tryAgain` if another process has it, or after SIGTERM or SIGINT.
    func attend(drives: Bool, stays: Bool) async throws {
        try await showing {
            try await Interruption.ending {
                if drives { try await drive() }
                if stays { try await stay() }
            }
        }
    }

    private func drive() async throws {
        let report = try await Driving(tree: tree, manifests: manifests).settle(.run(folder.run))
        guard let problem = report.problems[folder.run] else { return }
        if problem.code == .busy { return try await leaveToOther(problem) }
        throw CommandError(problem)
    }

    /// Somebody took the run over, or has it already: it goes on without us.
    private func leaveToOther(_ problem: RuntimeError) async throws {
        let reader = GlanceReader(tree)
        let isAtRest = try await Patience.poll(limit: Self.patience) { () -> Bool? in
            let status = reader.glance(folder).status
            return status == RunStatus.running.rawValue || status == RunStatus.pending.rawValue ? nil : true
        }
        if isAtRest == nil { throw CommandError(problem) }
    }

    /// A daemon drives the run, or this process does whenever something is due.
    private func stay() async throws {
        let reader = GlanceReader(tree)
        var told: Set<String> = []
        var seen: [RunID: Timestamp] = [:]
        while true {
            let glance = reader.glance(folder)
            if let problem = glance.problem { throw CommandError("unreadable", problem, place: folder.run.text) }
            if glance.isEnded { return }
            if glance.status == RunStatus.quarantined.rawValue {
                throw CommandError(
                    "quarantined", "\(folder.run) is quarantined", hint: "`waybill repair \(folder.run)` says why")
            }
            let family = reader.family(of: folder)
            tell(family.flatMap { reader.waits($0) }, &told)
            if !tree.hasDaemon, family.contains(where: { isDue(reader.glance($0), $0, &seen) }) {
                let report = try await Driving(tree: tree, manifests: manifests).settle(.run(folder.run))
                if let problem = report.problems[folder.run], problem.code != .busy { throw CommandError(problem) }
            }
            try await Task.sleep(for: .milliseconds(100))
        }
    }

    /// Whether the clock or a file gives the run something to do.
    private func isDue(_ glance: Glance, _ folder: RunFolder, _ seen: inout [RunID: Timestamp]) -> Bool {
        if glance.isEnded { return folder.run != self.folder.run }
        let now = tree.clock.now()
        var changed = (try? folder.directory.status(RunFolder.inbox))?.modified ?? .earliest
        // An event is in the journal, and so is the end of a run that this one queues behind.
        if glance.status == RunStatus.pending.rawValue || glance.waiting.contains(where: { $0["reason"] == "event" }) {
            let journal = try? tree.runsDirectory.status(FilePath(FileJournal.openSegment))
            changed = max(changed, journal?.modified ?? .earliest)
        }
        let before = seen.updateValue(changed, forKey: folder.run)
        if changed != before || glance.status == RunStatus.running.rawValue { return true }
        return glance.waiting.contains { wait in
            let until = wait["until"]?.stringValue.flatMap { Timestamp(rfc3339: $0) }
            return until.map { $0 <= now } ?? false
        }
    }

    /// Says once of each question how it is answered.
    private func tell(_ waits: [OpenWait], _ told: inout Set<String>) {
        for wait in waits where wait.isQuestion && told.insert("\(wait.run)/\(wait.key)").inserted {
            let lines = WaitPage.lines(wait, now: tree.clock.now()).map { "  " + $0 }
            console.note(lines.joined(separator: "\n"))
        }
    }

    // MARK: - Progress

    /// Shows the run's progress for as long as `body` takes.
    private func showing<Result: Sendable>(
        _ body: @escaping @Sendable () async throws -> Result
    ) async throws -> Result {
        if console.isJSON { return try await body() }
        return try await withThrowingTaskGroup(of: Result?.self) { group in
            group.addTask { try await body() }
            group.addTask {
                try await follow()
                return nil
            }
            var result: Result?
            do {
                while result == nil, let next = try await group.next() { result = next }
            } catch {
                group.cancelAll()
                throw error
            }
            group.cancelAll()
            while (try? await group.next()) != nil {}
            guard let result else { throw CancellationError() }
            return result
        }
    }

    /// Until it is cancelled; a last look shows what came in between.
    private func follow() async throws {
        var follower = try LedgerFollower(folder)
        let errors = Output.errors
        var view = ProgressView(terminal: Terminal(descriptor: errors.descriptor), output: errors)
        if !isNew { view.pass(over: try follower.next().entries) }
        while true {
            let isLast = Task.isCancelled
            let (entries, isAnew) = try follower.next()
            if isAnew { view = ProgressView(terminal: Terminal(descriptor: errors.descriptor), output: errors) }
            view.show(entries, now: tree.clock.now())
            if isLast { break }
            try? await Task.sleep(for: Self.frame)
        }
        view.finish()
    }

    // MARK: - The end

    /// Prints how the run stands, and ends the command accordingly.
    func conclude() throws {
        let reader = GlanceReader(tree)
        let glance = reader.glance(folder)
        if console.isJSON {
            console.output.json(.object(glance.object))
        } else {
            let waits = glance.isEnded ? [] : reader.family(of: folder).flatMap { reader.waits($0) }
            let summary = RunSummary(
                glance: glance, waits: waits, now: tree.clock.now(), hasLog: { hasLog(of: $0) })
            console.output.write(Array(summary.text(for: console.terminal).utf8))
        }
        let status = ExitStatus(runStatus: glance.status)
        if status != .done { throw status.exit }
    }

    /// Whether a process of the step has run: a question's deadline is a timeout without a log.
    private func hasLog(of step: String) -> Bool {
        let attempts = RunFolder.attempt(step, visit: 1, attempt: 1).removingLastComponent()
        return (try? folder.directory.status(attempts)) ?? nil != nil
    }
}

/// A run in a few lines.
struct RunSummary {
    let glance: Glance
    let waits: [OpenWait]
    let now: Timestamp
    /// Whether `waybill logs` knows the step.
    var hasLog: (String) -> Bool = { _ in true }

    /// The command that shows what the step said that failed the run; nil if no process of a step is to blame.
    private var logCommand: String? {
        guard let error = glance.object["error"]?.objectValue, let step = error["step"]?.stringValue, hasLog(step),
            let kind = error["kind"]?.stringValue.flatMap(ErrorKind.init),
            [.exit, .signal, .timeout, .verification].contains(kind)
        else { return nil }
        let isPlain = step.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "."),
                UInt8(ascii: "/"):
                true
            default: false
            }
        }
        return "waybill logs \(glance.run) \(isPlain ? step : "'\(step)'") --stderr"
    }

    func text(for terminal: Terminal) -> String {
        var head = "\(terminal.paint(glance.run.text, .bold))  \(terminal.paint(status: glance.status))"
        if let start = glance.startedAt, let end = glance.endedAt { head += "  in \(Text.span(end - start))" }
        var lines = [head]
        if let outputs = glance.object["outputs"]?.objectValue {
            let width = outputs.map { Text.width($0.key) }.max() ?? 0
            lines += outputs.map { "  \(Text.pad($0.key, to: width))  \(Text.value($0.value))" }
        }
        if let error = glance.errorText { lines.append("  \(terminal.paint("error", .red)): \(Text.printable(error))") }
        if let logCommand { lines.append("    $ \(logCommand)") }
        for wait in waits {
            lines.append("  \(terminal.paint(wait.key, .yellow))")
            lines += WaitPage.lines(wait, now: now).map { "    " + $0 }
        }
        return lines.joined(separator: "\n") + "\n"
    }
}

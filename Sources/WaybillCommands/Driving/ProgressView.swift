import WaybillCore
import WaybillEngine
import WaybillPorts

/// Shows a run as it goes on: on a terminal the steps that end as lines that stay, and below them those at work, drawn
/// again and again; elsewhere one plain line for each change.
struct ProgressView {
    private static let activeLimit = 10
    private let terminal: Terminal
    private let output: Output
    private var history = StepHistory()
    /// Lines of the block below, to be drawn over.
    private var drawn = 0

    init(terminal: Terminal, output: Output) {
        self.terminal = terminal
        self.output = output
    }

    /// Takes entries of the past, and shows nothing of them.
    mutating func pass(over entries: [Entry]) {
        for entry in entries { history.take(entry) }
    }

    /// Takes new entries, and shows what changed.
    mutating func show(_ entries: [Entry], now: Timestamp) {
        var lines: [String] = []
        for entry in entries {
            history.take(entry)
            if let line = line(for: entry) { lines.append(line) }
        }
        guard terminal.isInteractive else {
            for line in lines { output.line(line) }
            return
        }
        let active = history.running.prefix(Self.activeLimit)
            .map { step -> String in
                let time = step.duration(now: now).map(Text.span) ?? ""
                return "\(terminal.paint("…", .blue)) \(step.id)  \(terminal.paint(time, .dim))"
            }
        if lines.isEmpty && active.isEmpty && drawn == 0 { return }
        // Up to the block's beginning, and everything below it away (ECMA-48 CUU and ED).
        var text = drawn > 0 ? "\u{1B}[\(drawn)A\u{1B}[J" : ""
        for line in lines + active { text += line + "\n" }
        output.write(Array(text.utf8))
        drawn = active.count
    }

    /// What an entry changed, if a person would want to know.
    private func line(for entry: Entry) -> String? {
        switch entry.type {
        case .taskEnd:
            guard let step = entry.step.flatMap(history.step) else { return nil }
            var parts = [mark(step.status), Text.oneLine(step.id)]
            if step.status != "completed" || !terminal.isInteractive {
                parts.append(terminal.paint(status: step.status))
            }
            if step.status != "skipped", let span = step.duration(now: entry.ts).map(Text.span) {
                parts.append(terminal.paint(span, .dim))
            }
            let detail = Text.oneLine(step.detail)
            if !detail.isEmpty { parts.append(terminal.paint(Text.cut(detail, to: room), .dim)) }
            return parts.joined(separator: " ")
        case .taskStart where !terminal.isInteractive && entry.data["action"]?.stringValue == "run":
            return "\(mark("running")) \(Text.oneLine(entry.step ?? "")) running"
        case .taskWaiting:
            // Without a step the run itself waits, to be admitted.
            let name = Text.oneLine(entry.step ?? entry.data["key"]?.stringValue ?? "")
            return "\(mark("waiting")) \(name) \(terminal.paint(status: "waiting"))"
        case .runPaused: return terminal.paint(status: "paused")
        case .runResumed: return terminal.paint(status: "running")
        default: return nil
        }
    }

    private var room: Int { terminal.isInteractive ? max(20, terminal.width - 30) : .max }

    private func mark(_ status: String) -> String {
        guard terminal.isInteractive else { return "-" }
        return switch status {
        case "completed": terminal.paint("✓", .green)
        case "failed", "unknown": terminal.paint("✗", .red)
        case "waiting": terminal.paint("?", .yellow)
        default: terminal.paint("·", .dim)
        }
    }

    /// Takes the block away.
    mutating func finish() {
        if drawn > 0 { output.write(Array("\u{1B}[\(drawn)A\u{1B}[J".utf8)) }
        drawn = 0
    }
}

import ArgumentParser
import WaybillCore
import WaybillRuntime

struct DoctorCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "doctor", abstract: "Look for trouble: machine, tree and runs.",
        discussion: "Exits 1 if something is wrong.")

    @OptionGroup var options: GlobalOptions

    func run() throws {
        let tree = try options.tree()
        let checks = MachineChecks(tree: tree).all + SandboxChecks(tree: tree).all + TreeChecks(tree: tree).all
        let isOK = !checks.contains { $0.level == .wrong }
        let console = options.console
        if console.isJSON {
            console.output.prettyJSON(["ok": .bool(isOK), "checks": .list(checks.map(\.value))])
        } else {
            for check in checks { console.output.line(check.text(for: console.terminal)) }
        }
        if !isOK { throw ExitStatus.failed.exit }
    }
}

/// One thing that was looked at.
struct Check: Sendable, Hashable {
    enum Level: String, Sendable {
        case fine = "ok"
        /// Good to know.
        case note
        case wrong
    }

    var name: String
    var level: Level
    var message: String
    var hint: String?

    static func fine(_ name: String, _ message: String) -> Check { Check(name: name, level: .fine, message: message) }
    static func note(_ name: String, _ message: String, hint: String? = nil) -> Check {
        Check(name: name, level: .note, message: message, hint: hint)
    }
    static func wrong(_ name: String, _ message: String, hint: String? = nil) -> Check {
        Check(name: name, level: .wrong, message: message, hint: hint)
    }

    var value: Value {
        [
            "name": .string(name), "level": .string(level.rawValue), "message": .string(message),
            "hint": hint.map(Value.string) ?? .null,
        ]
    }

    func text(for terminal: Terminal) -> String {
        let colour: Terminal.Colour =
            switch level {
            case .fine: .green
            case .note: .dim
            case .wrong: .red
            }
        let line =
            "\(terminal.paint(Text.pad(level.rawValue, to: 5), colour))  \(Text.pad(name, to: 11))  \(Text.oneLine(message))"
        return hint.map { "\(line)\n       \(Text.pad("", to: 11))  hint: \($0)" } ?? line
    }
}

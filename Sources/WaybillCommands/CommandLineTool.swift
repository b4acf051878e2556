import ArgumentParser
import Glibc
import WaybillCore

/// The whole command: arguments in, exit status out.
package enum CommandLineTool {
    /// Answers what takes neither the parser nor a task, both of which cost more than the answer: `--version`, which
    /// scripts ask for again and again.
    ///
    /// - Returns: the exit status; nil: the command line has to be carried out.
    package static func answer(_ arguments: [String]) -> Int32? {
        guard arguments == ["--version"] else { return nil }
        signal(SIGPIPE, SIG_IGN)
        Output.standard.line(Version.current)
        return concluded(ExitStatus.done.rawValue, isJSON: false)
    }

    /// Parses and carries out a command line, without the command's own name in front.
    package static func run(_ arguments: [String]) -> Int32 {
        // Whoever started this process may have blocked signals, and a new program inherits that.
        var none = sigset_t()
        sigemptyset(&none)
        pthread_sigmask(SIG_SETMASK, &none, nil)
        // A reader that goes away, of ours or of a step's input, is an error of that write and nothing more.
        signal(SIGPIPE, SIG_IGN)
        // A file that may not grow any more is an error of that write, too.
        signal(SIGXFSZ, SIG_IGN)
        let ordered = ArgumentOrder.optionsBehindCommand(arguments)
        let status = CallingThread.run { await carryOut(ordered) }
        return concluded(status, isJSON: ordered.contains("--json"))
    }

    /// A result that did not arrive is none, whatever it was.
    private static func concluded(_ status: Int32, isJSON: Bool) -> Int32 {
        guard let failure = Output.standard.failure else { return status }
        return report(CommandError("unwritable", "cannot write to the standard output: \(failure)"), isJSON: isJSON)
    }

    private static func carryOut(_ ordered: [String]) async -> Int32 {
        do {
            if let name = ArgumentOrder.unknownCommand(ordered) { throw unknown(name) }
            var command = try WaybillCommand.parseAsRoot(ordered)
            if var asynchronous = command as? any AsyncParsableCommand {
                try await asynchronous.run()
            } else {
                try command.run()
            }
            return ExitStatus.done.rawValue
        } catch {
            return report(error, isJSON: ordered.contains("--json"))
        }
    }

    private static func unknown(_ name: String) -> CommandError {
        .usage(
            "there is no command '\(name)'",
            hint: Suggestion.hint(for: name, among: WaybillCommand.names) ?? "`waybill --help` lists all commands")
    }

    private static func report(_ error: any Error, isJSON: Bool) -> Int32 {
        if let error = CommandError(any: error) {
            if isJSON { Output.errors.json(error.value) } else { Output.errors.line(error.text) }
            return error.status.rawValue
        }
        // A command that has said everything already.
        if let exit = error as? ExitCode { return exit.rawValue }
        let code = WaybillCommand.exitCode(for: error)
        let message = WaybillCommand.fullMessage(for: error)
        if code == .success {
            Output.standard.line(message)
            return code.rawValue
        }
        if code == .validationFailure {
            let usage = CommandError("usage", WaybillCommand.message(for: error), status: .usage)
            if isJSON { Output.errors.json(usage.value) } else { Output.errors.line(message) }
            return usage.status.rawValue
        }
        let failure = CommandError("internal", "\(error)")
        if isJSON { Output.errors.json(failure.value) } else { Output.errors.line(failure.text) }
        return failure.status.rawValue
    }
}

/// `-C` and `--json` may stand before the command, where people coming from git and make put them; the parser knows them
/// behind it.
enum ArgumentOrder {
    /// The command that is asked for, if there is no such command.
    static func unknownCommand(_ ordered: [String]) -> String? {
        var asked = ordered[...]
        // `help` is about a command, too.
        if asked.first == "help" { asked = asked.dropFirst().drop { $0.hasPrefix("-") } }
        guard let name = asked.first, !name.hasPrefix("-"), !WaybillCommand.names.contains(name) else { return nil }
        return name
    }

    static func optionsBehindCommand(_ arguments: [String]) -> [String] {
        var moved: [String] = []
        var index = 0
        while index < arguments.count {
            let argument = arguments[index]
            if argument == "-C" || argument == "--directory" {
                moved += arguments[index..<min(index + 2, arguments.count)]
                index += 2
            } else if argument == "--json" || argument.hasPrefix("--directory=")
                || (argument.hasPrefix("-C") && !argument.hasPrefix("--"))
            {
                moved.append(argument)
                index += 1
            } else {
                break
            }
        }
        // Without a command behind them they stay: `waybill --json --help`.
        guard index < arguments.count, !arguments[index].hasPrefix("-") else { return arguments }
        return [arguments[index]] + moved + arguments[(index + 1)...]
    }
}

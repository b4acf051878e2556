import ArgumentParser
import WaybillCore

/// What every command takes.
struct GlobalOptions: ParsableArguments {
    @Option(
        name: [.customShort("C"), .customLong("directory")],
        help: ArgumentHelp(
            "The tree to work in; else the working directory, or the nearest folder above it that has workflows/.",
            valueName: "dir"),
        completion: .directory)
    var directory: String?

    @Flag(name: .customLong("json"), help: "Print JSON for programs, errors too.")
    var isJSON = false

    /// What is printed for a person or a program.
    var console: Console { Console(isJSON: isJSON) }
}

/// The streams of a command, and how they are to be used.
struct Console: Sendable {
    let isJSON: Bool
    let output = Output.standard
    let errors = Output.errors
    /// Of the standard output.
    let terminal: Terminal

    init(isJSON: Bool) {
        self.isJSON = isJSON
        terminal = isJSON ? .plain : Terminal(descriptor: Output.standard.descriptor)
    }

    /// One thing for programs, another one for people.
    func print(_ value: @autoclosure () -> Value, text: @autoclosure () -> String) {
        if isJSON {
            output.json(value())
        } else {
            output.line(text())
        }
    }

    /// Something to know that is not the result.
    func note(_ text: String) {
        if !isJSON { errors.line(text) }
    }
}

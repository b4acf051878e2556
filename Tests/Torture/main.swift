import Glibc
import SystemPackage

/// Prints a line at once, also into a pipe.
func say(_ line: some CustomStringConvertible, to descriptor: FileDescriptor = .standardOutput) {
    _ = try? descriptor.writeAll("\(line)\n".utf8)
}

do {
    let options = try Options(Array(CommandLine.arguments.dropFirst()))
    if options.isHelp {
        say(Options.help)
    } else {
        var torture = try Torture(options)
        exit(try torture.run() ? 0 : 1)
    }
} catch {
    say("torture: \(error)", to: .standardError)
    exit(2)
}

import Glibc
import Harness
import SystemPackage

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

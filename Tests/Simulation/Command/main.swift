import Glibc
import SystemPackage

do {
    let options = try Options(Array(CommandLine.arguments.dropFirst()))
    if options.isHelp {
        say(Options.help)
    } else {
        exit(Campaign(options).run() ? 0 : 1)
    }
} catch {
    say("simulate: \(error)", to: .standardError)
    exit(2)
}

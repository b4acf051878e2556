import Glibc
import Harness
import SystemPackage

do {
    let options = try Options(Array(CommandLine.arguments.dropFirst()))
    if options.isHelp {
        say(Options.help)
    } else {
        var soak = try Soak(options)
        exit(try soak.run() ? 0 : 1)
    }
} catch {
    say("soak: \(error)", to: .standardError)
    exit(2)
}

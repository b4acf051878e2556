import Glibc
import SystemPackage

/// Hash tables are seeded by their place in memory unless the process is told otherwise before it begins, and what a
/// daemon does in the order of a table would differ from play to play.
func makeHashingRepeatable() {
    let name = "SWIFT_DETERMINISTIC_HASHING"
    guard getenv(name) == nil, setenv(name, "1", 1) == 0 else { return }
    var arguments = CommandLine.arguments.map { strdup($0) } + [nil]
    execv("/proc/self/exe", &arguments)
    say("simulate: cannot begin again with repeatable hashing; a seed may play differently", to: .standardError)
}

makeHashingRepeatable()
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

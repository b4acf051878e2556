import Glibc
import SystemPackage

do {
    let options = try Options(Array(CommandLine.arguments.dropFirst()))
    if options.isHelp {
        print(Options.help)
    } else {
        try await Benchmarks(options).run()
    }
} catch {
    _ = try? FileDescriptor.standardError.writeAll("benchmarks: \(error)\n".utf8)
    exit(error is UsageError ? 2 : 1)
}

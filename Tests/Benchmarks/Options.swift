import SystemPackage

/// A command line that makes no sense.
struct UsageError: Error, CustomStringConvertible {
    let description: String
}

/// A figure that could not be taken.
struct BenchmarkError: Error, CustomStringConvertible {
    let description: String
}

/// What to measure, and where the result goes.
struct Options {
    static let help = """
        Usage: benchmarks [--only NAME]... [--quick] [--json FILE] [--directory DIR] [--waybill FILE]

          --only NAME      one suite of: \(Benchmarks.names.joined(separator: " ")); may be given several times
          --quick          fewer rounds and smaller sizes: to see that it works, not to quote
          --json FILE      also write every sample as JSON
          --directory DIR  where the trees are made; their file system is what is measured (default: beside this program)
          --waybill FILE   the command to start (default: beside this program)
        """

    var only: [String] = []
    var isQuick = false
    var isHelp = false
    var json: FilePath?
    var directory: FilePath?
    var waybill: FilePath?

    /// - Throws: ``UsageError``.
    init(_ arguments: [String]) throws {
        var rest = arguments[...]
        while let argument = rest.popFirst() {
            switch argument {
            case "--quick": isQuick = true
            case "--help", "-h": isHelp = true
            case "--only", "--json", "--directory", "--waybill":
                guard let value = rest.popFirst() else {
                    throw UsageError(description: "\(argument) needs a value\n\(Self.help)")
                }
                try take(argument, value)
            default: throw UsageError(description: "unknown argument '\(argument)'\n\(Self.help)")
            }
        }
    }

    private mutating func take(_ option: String, _ value: String) throws {
        switch option {
        case "--only":
            guard Benchmarks.names.contains(value) else {
                throw UsageError(description: "there is no suite '\(value)'\n\(Self.help)")
            }
            only.append(value)
        case "--json": json = FilePath(value)
        case "--directory": directory = FilePath(value)
        default: waybill = FilePath(value)
        }
    }
}

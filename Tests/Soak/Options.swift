import Harness
import SystemPackage

/// How many runs to hold in flight, for how long, and where the result goes.
struct Options {
    static let help = """
        Usage: soak [--runs N] [--minutes N | --seconds N] [--life SECONDS] [--every SECONDS] [--seed N] [--keep]
                    [--svg FILE] [--json FILE] [--directory DIR] [--waybill FILE]

        Holds so many runs in flight under a real daemon, of mixed work: whenever one ends another one is started. Looks
        at the daemon's memory, open files and threads and at how long answers take, and compares the second fifth of
        the time with the last one. Exits with 1 where something grew, or where a run failed or was lost.

          --runs N         runs in flight, runs that they call not counted (default: 1000)
          --minutes N      how long, from the moment at which all are in flight (default: 10)
          --seconds N      the same in seconds
          --life SECONDS   about how long a run waits for clocks, people and events, all in all: runs divided by this is
                           how many end in a second (default: 60)
          --every SECONDS  from one sample to the next (default: 5); below \(Flatness.fewestSamples) samples there is no verdict
          --seed N         of the mix, and of how long each wait takes (default: another one each time)
          --keep           keeps the tree also where nothing is wrong
          --svg FILE       where the plot goes
          --json FILE      where the samples go
          --directory DIR  where the tree is made (default: beside this program)
          --waybill FILE   the command to start (default: beside this program)
        """

    var runs = 1_000
    var seconds = 600.0
    var life = 60.0
    var every = 5.0
    var seed = UInt64.random(in: 1...999_999)
    var isKept = false
    var isHelp = false
    var svg: FilePath?
    var json: FilePath?
    var directory: FilePath?
    var waybill: FilePath?

    /// - Throws: ``UsageError``.
    init(_ arguments: [String]) throws {
        var rest = arguments[...]
        while let name = rest.popFirst() {
            switch name {
            case "--help", "-h": isHelp = true
            case "--keep": isKept = true
            case "--runs": runs = Int(try Self.number(name, &rest))
            case "--minutes": seconds = try Self.number(name, &rest) * 60
            case "--seconds": seconds = try Self.number(name, &rest)
            case "--life": life = try Self.number(name, &rest)
            case "--every": every = try Self.number(name, &rest)
            case "--seed": seed = UInt64(try Self.number(name, &rest))
            case "--svg": svg = try Self.path(name, &rest)
            case "--json": json = try Self.path(name, &rest)
            case "--directory": directory = try Self.path(name, &rest)
            case "--waybill": waybill = try Self.path(name, &rest)
            default: throw UsageError("there is no option '\(name)'; --help lists them")
            }
        }
        guard runs > 0, every >= 0.1, seconds >= every else {
            throw UsageError("there is nothing to hold, or no time to look at it")
        }
    }

    /// What does the same again, on the same machine only about as fast.
    var command: String {
        var words = ["soak", "--runs", "\(runs)", "--seconds", Text.number(seconds), "--life", Text.number(life)]
        words += ["--every", Text.number(every), "--seed", "\(seed)"]
        return words.joined(separator: " ")
    }

    private static func number(_ name: String, _ rest: inout ArraySlice<String>) throws -> Double {
        guard let number = rest.popFirst().flatMap({ Double($0) }), (0...1e9).contains(number) else {
            throw UsageError("\(name): expected a number")
        }
        return number
    }

    private static func path(_ name: String, _ rest: inout ArraySlice<String>) throws -> FilePath {
        guard let path = rest.popFirst() else { throw UsageError("\(name): expected a path") }
        return FilePath(path)
    }
}

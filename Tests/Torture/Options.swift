import Harness
import SystemPackage

/// What to do to how many runs.
struct Options {
    static let help = """
        Usage: torture [--runs N] [--kills N] [--seed N] [--at-once N] [--keep] [--directory DIR] [--waybill FILE]

        Runs real workflows under real daemons, kills daemons, supervisors, monitors and steps with SIGKILL while they
        work, and checks at the end that every run ended, that every completed step had its effect exactly once, that
        `waybill verify --deep` finds nothing, and that no process is left. The tree is kept where something is wrong.

          --runs N         runs to start, runs that they call not counted (default: 1000)
          --kills N        processes to kill (default: 500)
          --seed N         of whom to kill and when, and of what answers look like (default: another one each time)
          --at-once N      runs under way at the same time (default: 16)
          --keep           keeps the tree also where nothing is wrong
          --directory DIR  where the tree is made (default: beside this program)
          --waybill FILE   the command to start (default: beside this program)
        """

    var runs = 1_000
    var kills = 500
    var seed = UInt64.random(in: 1...999_999)
    var atOnce = 16
    var isKept = false
    var isHelp = false
    var directory: FilePath?
    var waybill: FilePath?

    /// - Throws: ``UsageError``.
    init(_ arguments: [String]) throws(UsageError) {
        var rest = arguments[...]
        while let name = rest.popFirst() {
            switch name {
            case "--help", "-h": isHelp = true
            case "--keep": isKept = true
            case "--runs": runs = try Self.number(name, &rest)
            case "--kills": kills = try Self.number(name, &rest)
            case "--seed": seed = UInt64(try Self.number(name, &rest))
            case "--at-once": atOnce = max(1, try Self.number(name, &rest))
            case "--directory": directory = try Self.path(name, &rest)
            case "--waybill": waybill = try Self.path(name, &rest)
            default: throw UsageError("there is no option '\(name)'; --help lists them")
            }
        }
    }

    private static func number(_ name: String, _ rest: inout ArraySlice<String>) throws(UsageError) -> Int {
        guard let number = rest.popFirst().flatMap({ Int($0) }), number >= 0 else {
            throw UsageError("\(name): expected a number")
        }
        return number
    }

    private static func path(_ name: String, _ rest: inout ArraySlice<String>) throws(UsageError) -> FilePath {
        guard let path = rest.popFirst() else { throw UsageError("\(name): expected a path") }
        return FilePath(path)
    }
}

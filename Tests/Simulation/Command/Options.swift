import Simulation

/// What `simulate` was asked to do.
struct Options {
    static let help = """
        Simulates whole daemons on one thread, crashes them at every operation on files, and checks what must hold.

        simulate [--from <seed>] [--seeds <n>] [--jobs <n>] [--every <n>]
            simulates the workloads of so many seeds, each on one of so many threads; --every 10 looks into one
            operation of ten only
        simulate --stories [--jobs <n>] [--every <n>]
            simulates the reference workload, which every change is checked with: each story once, on a good disk
        simulate --seed <seed> | --story <number> [--operation <n> [--crash kill|power|one] [--torn]] [--trace]
            one workload alone, or exactly one world of it: crashed before one operation (0: not at all), or in the
            middle of that write; --trace prints every operation of the world that follows
        """

    struct Problem: Error, CustomStringConvertible {
        let description: String
    }

    var isHelp = false
    var from: UInt64 = 1
    var seeds: UInt64 = 20
    var jobs = 2
    /// Looks into one operation of so many.
    var every = 1
    /// One workload alone.
    var workload: Workload?
    var isReference = false
    /// Nil: all of its operations.
    var operation: Int?
    var crash = Crash.kill
    var isTorn = false
    var isTraced = false

    init(_ arguments: [String]) throws(Problem) {
        var rest = arguments[...]
        while let name = rest.popFirst() {
            switch name {
            case "--help", "-h": isHelp = true
            case "--from": from = UInt64(try Self.number(name, &rest))
            case "--seeds": seeds = UInt64(try Self.number(name, &rest))
            case "--every": every = max(1, try Self.number(name, &rest))
            case "--jobs": jobs = max(1, try Self.number(name, &rest))
            case "--stories": isReference = true
            case "--seed": workload = Workload(seed: UInt64(try Self.number(name, &rest)))
            case "--story": workload = Workload.reference(try Self.number(name, &rest))
            case "--operation": operation = try Self.number(name, &rest)
            case "--torn": isTorn = true
            case "--trace": isTraced = true
            case "--crash":
                guard let crash = rest.popFirst().flatMap(Crash.init(rawValue:)) else {
                    throw Problem(description: "--crash: expected kill, power or one")
                }
                self.crash = crash
            default: throw Problem(description: "there is no option '\(name)'; --help lists them")
            }
        }
    }

    private static func number(_ name: String, _ rest: inout ArraySlice<String>) throws(Problem) -> Int {
        guard let number = rest.popFirst().flatMap({ Int($0) }), number >= 0 else {
            throw Problem(description: "\(name): expected a number")
        }
        return number
    }

    /// The crash that `--operation` names; nil for none.
    var place: Violation.Place? {
        guard let operation, operation > 0 else { return nil }
        return Violation.Place(operation: operation, crash: crash, isTorn: isTorn)
    }
}

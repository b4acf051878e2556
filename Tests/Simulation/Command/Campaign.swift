import Simulation
import Synchronization
import SystemPackage
import WaybillPorts

/// Prints a line at once, also into a pipe.
func say(_ line: some CustomStringConvertible, to descriptor: FileDescriptor = .standardOutput) {
    _ = try? descriptor.writeAll("\(line)\n".utf8)
}

/// Simulates many seeds on some threads, and says what they came to.
final class Campaign: Sendable {
    private struct State {
        var next: UInt64
        var tally = Tally()
        var shown = 0
        var reported = 0
    }

    /// Violations that are printed; beyond that they are only counted.
    private static let mostShown = 50
    /// Crash points between two lines of progress.
    private static let reportEvery = 50_000

    private let options: Options
    private let state: Mutex<State>

    init(_ options: Options) {
        self.options = options
        state = Mutex(State(next: options.from))
    }

    /// - Returns: whether everything held.
    func run() -> Bool {
        if let seed = options.seed { return runOne(seed) }
        let threads = (0..<options.jobs).compactMap { number in
            DedicatedThread(name: "simulate-\(number)") { self.work() }
        }
        for thread in threads { thread.join() }
        let tally = state.withLock { $0.tally }
        say(
            "\(tally.worlds) worlds, \(tally.operations) operations: \(tally.crashes) crash points, "
                + "\(tally.faults) faults, \(tally.violations.count) violations")
        return tally.violations.isEmpty
    }

    private func runOne(_ seed: UInt64) -> Bool {
        let trace: ((String) -> Void)? = options.isTraced ? { say($0) } : nil
        let tally = Simulation(
            Workload(seed: seed), only: options.place, hasCrashes: options.operation != 0, onTrace: trace
        ).run()
        for violation in tally.violations { say(violation) }
        say("\(tally.crashes) crash points, \(tally.faults) faults, \(tally.violations.count) violations")
        return tally.violations.isEmpty
    }

    private func work() {
        while let seed = nextSeed() {
            add(Simulation(Workload(seed: seed), every: options.every, onViolation: show).run())
        }
    }

    private func nextSeed() -> UInt64? {
        state.withLock { state in
            guard state.next < options.from + options.seeds else { return nil }
            state.next += 1
            return state.next - 1
        }
    }

    private func show(_ violation: Violation) {
        state.withLock { state in
            state.shown += 1
            if state.shown <= Self.mostShown { say(violation) }
        }
    }

    private func add(_ tally: Tally) {
        state.withLock { state in
            state.tally.add(tally)
            if state.tally.crashes / Self.reportEvery > state.reported {
                state.reported = state.tally.crashes / Self.reportEvery
                say("\(state.tally.worlds) worlds, \(state.tally.crashes) crash points ...")
            }
        }
    }
}

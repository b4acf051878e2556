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
    private let end: UInt64
    private let state: Mutex<State>

    init(_ options: Options) {
        self.options = options
        let first: UInt64 = options.isReference ? 0 : options.from
        end = first + (options.isReference ? UInt64(Workload.referenceCount) : options.seeds)
        state = Mutex(State(next: first))
    }

    /// - Returns: whether everything held.
    func run() -> Bool {
        if let workload = options.workload { return runOne(workload) }
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

    private func runOne(_ workload: Workload) -> Bool {
        let write: @Sendable (String) -> Void = { line in say(line) }
        let tally = Simulation(
            workload, only: options.place, hasCrashes: options.operation != 0, every: options.every,
            onTrace: options.isTraced ? write : nil
        ).run()
        for violation in tally.violations { say(violation) }
        say("\(tally.crashes) crash points, \(tally.faults) faults, \(tally.violations.count) violations")
        return tally.violations.isEmpty
    }

    private func work() {
        while let seed = nextSeed() {
            let workload = options.isReference ? Workload.reference(Int(seed)) : Workload(seed: seed)
            add(Simulation(workload, every: options.every, onViolation: show).run())
        }
    }

    private func nextSeed() -> UInt64? {
        state.withLock { state in
            guard state.next < end else { return nil }
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

import WaybillCore
import WaybillTestKit

/// What simulations came to.
package struct Tally: Sendable {
    /// Crashes that were simulated to the end, each of another world.
    package var crashes = 0
    package var faults = 0
    package var operations = 0
    package var worlds = 0
    package var violations: [Violation] = []

    package init() {}

    package mutating func add(_ other: Tally) {
        crashes += other.crashes
        faults += other.faults
        operations += other.operations
        worlds += other.worlds
        violations += other.violations
    }
}

/// Something that must not happen did, and how it can be seen again.
package struct Violation: Sendable, CustomStringConvertible {
    /// Names the workload on the command line of `simulate`.
    package var workload: String
    /// Nil: without any crash.
    package var place: Place?
    package var what: String

    package struct Place: Sendable, Hashable {
        package var operation: Int
        package var crash: Crash
        package var isTorn: Bool

        package init(operation: Int, crash: Crash, isTorn: Bool) {
            self.operation = operation
            self.crash = crash
            self.isTorn = isTorn
        }
    }

    package var description: String {
        guard let place else { return "\(what)\n  simulate \(workload) --operation 0" }
        let torn = place.isTorn ? " --torn" : ""
        return "\(what)\n  simulate \(workload) --operation \(place.operation) --crash \(place.crash.rawValue)\(torn)"
    }
}

/// Plays one workload through, and crashes it at every operation on the way.
package struct Simulation {
    /// With fewer changes to lose, two power losses of one state of the disk are too often the same.
    private static let enoughUnsynced = 3
    /// Crashes in a row, each while what the last one left is mended.
    private static let mostCrashes = 8

    private let workload: Workload
    /// Only this crash; nil: all of them.
    private let only: Violation.Place?
    /// Whether any crash is looked into at all.
    private let hasCrashes: Bool
    /// Only one operation of so many is looked into.
    private let every: Int
    private let onTrace: (@Sendable (String) -> Void)?
    private let onViolation: ((Violation) -> Void)?
    private let definitions = SharedDefinitions()

    /// - Parameters:
    ///   - only: the one crash to look into.
    ///   - every: looks into one operation of so many only.
    ///   - onViolation: gets each violation when it is found.
    ///   - onTrace: gets every operation of the world without a crash, or of the one that follows from `only`.
    package init(
        _ workload: Workload, only: Violation.Place? = nil, hasCrashes: Bool = true, every: Int = 1,
        onTrace: (@Sendable (String) -> Void)? = nil, onViolation: ((Violation) -> Void)? = nil
    ) {
        self.workload = workload
        self.only = only
        self.hasCrashes = hasCrashes
        self.every = every * workload.stride
        self.onTrace = onTrace
        self.onViolation = onViolation
    }

    package func run() -> Tally {
        var tally = Tally()
        let world = World(workload, definitions, faults: workload.faults)
        let film = Film()
        film.record(world, hasCrashes ? nil : [], onTrace: only == nil ? onTrace : nil)
        var seen = Seen()
        world.betweenJobs = {
            for snapshot in film.take() { look(at: snapshot, &seen, &tally) }
        }
        world.startDaemons()
        let rest = world.run()
        world.betweenJobs()
        if hasCrashes, workload.daemons > 1 { killOneByOne(film.count, &tally) }
        if only == nil {
            judge(world, rest, nil, &tally)
            tally.operations += film.count
            tally.worlds += 1
            tally.faults += world.faultCount
        }
        world.endAll()
        return tally
    }

    /// Kills the process that asks for an operation, for each of them, while the other daemon goes on. What that one
    /// remembers is in no picture, so the world is played again from its beginning.
    private func killOneByOne(_ count: Int, _ tally: inout Tally) {
        for operation in 1..<count + 1 {
            let place = Violation.Place(operation: operation, crash: .one, isTorn: false)
            if let only {
                if only != place { continue }
            } else if operation % every != Int(workload.seed) % every {
                continue
            }
            let world = World(workload, definitions, faults: workload.faults, killAt: operation)
            Film().record(world, [], onTrace: only == nil ? nil : onTrace)
            world.startDaemons()
            let rest = world.run()
            tally.crashes += 1
            judge(world, rest, place, &tally)
            world.endAll()
        }
    }

    /// What was looked into already: a kill leaves what the last one left unless the disk has changed in between.
    private struct Seen {
        var changes = -1
    }

    private func look(at snapshot: Snapshot, _ seen: inout Seen, _ tally: inout Tally) {
        let isSame = snapshot.volume.mutationCount == seen.changes && !snapshot.isTorn
        if !snapshot.isTorn { seen.changes = snapshot.volume.mutationCount }
        for crash in Crash.ofAll {
            let place = Violation.Place(operation: snapshot.operation, crash: crash, isTorn: snapshot.isTorn)
            if let only {
                if only != place { continue }
            } else if snapshot.operation % every != Int(workload.seed) % every {
                continue
            } else if isSame, crash == .kill || snapshot.volume.unsyncedCount < Self.enoughUnsynced {
                continue
            }
            crashAndRecover(snapshot, place, &tally)
        }
    }

    /// Half of the worlds crash again within a while, and most of these once more: the code that mends what a crash left is
    /// where another one hurts, and so short a life costs little to play.
    private func crashAndRecover(_ snapshot: Snapshot, _ place: Violation.Place, _ tally: inout Tally) {
        var random = SeededGenerator(workload.seed, place.operation, 11)
        // Draws of their own, so that worlds that found mistakes when fewer crashed again are still the same.
        var later = SeededGenerator(workload.seed, place.operation, 13)
        var deeper = SeededGenerator(workload.seed, place.operation, 103)
        let faults = random.chance(10) ? 150 : 0
        var after = random.chance(25) ? random.number(1..<200) : nil
        var snapshot = snapshot
        var crash = place.crash
        for purpose in 0..<Self.mostCrashes {
            let world = snapshot.world(
                after: crash, workload, definitions, purpose: purpose, faults: purpose == 0 ? faults : 0)
            tally.crashes += 1
            let hasMore = purpose == 0 ? later.chance(40) : deeper.chance(65)
            if after == nil, hasMore, purpose < Self.mostCrashes - 1 {
                after = purpose == 0 ? later.number(1..<120) : deeper.number(1..<120)
            }
            let next = after.map { $0 + world.disk.withVolume { $0.operationCount } }
            after = nil
            let film = Film()
            film.record(world, next.map { [$0] } ?? [], onTrace: onTrace)
            world.betweenJobs = { [unowned world] in if !film.isEmpty { world.isAbandoned = true } }
            world.startDaemons()
            let rest = world.run()
            tally.faults += world.faultCount
            defer { world.endAll() }
            guard let again = film.take().first else { return judge(world, rest, place, &tally) }
            onTrace?("crashes again")
            snapshot = again
            crash = random.pick(Crash.ofAll)
        }
    }

    private func judge(_ world: World, _ rest: World.Rest, _ place: Violation.Place?, _ tally: inout Tally) {
        for what in Invariants(world).check(rest) {
            let violation = Violation(workload: workload.name, place: place, what: what)
            onViolation?(violation)
            tally.violations.append(violation)
        }
    }
}

/// Takes pictures of a world at its operations.
final class Film: @unchecked Sendable {
    // One thread drives the world and takes the pictures.
    private var pictures: [Snapshot] = []
    private(set) var count = 0

    var isEmpty: Bool { pictures.isEmpty }

    /// - Parameter operations: only these; nil: all of them.
    func record(_ world: World, _ operations: Set<Int>?, onTrace: (@Sendable (String) -> Void)?) {
        world.onTrace = onTrace
        world.disk.withVolume { volume in
            volume.recorder = { [self, unowned world] volume, operation, isTorn in
                count += 1
                if !isTorn {
                    onTrace?("\(operation.number) \(operation.process) \(operation.kind.rawValue) \(operation.path)")
                }
                guard operations?.contains(operation.number) ?? true else { return }
                pictures.append(
                    Snapshot(
                        volume: volume.unobserved, outside: world.outside, operation: operation.number, isTorn: isTorn))
            }
        }
    }

    func take() -> [Snapshot] {
        defer { pictures = [] }
        return pictures
    }
}

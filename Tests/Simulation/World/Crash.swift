import WaybillCore
import WaybillTestKit

/// How a machine or a process stops.
package enum Crash: String, Sendable, CaseIterable {
    /// Every daemon is killed; the disk stays as processes saw it.
    case kill
    /// The power fails: what was not synced is lost or kept, in any order, torn at any byte.
    case power
    /// The process that asks for the operation is killed; the others go on.
    case one

    /// Those that can be played from a picture of the world: nobody who remembers anything lives on.
    static let ofAll: [Crash] = [.kill, .power]
}

/// A world at the moment before one operation, or in the middle of a write.
struct Snapshot: Sendable {
    var volume: MemoryVolume
    var outside: Outside
    /// Counts the operations of the world.
    var operation: Int
    var isTorn: Bool

    /// The world after a crash at this moment.
    ///
    /// - Parameter purpose: tells apart several worlds that follow from one moment.
    func world(
        after crash: Crash, _ workload: Workload, _ definitions: SharedDefinitions, purpose: Int, faults: Int
    ) -> World {
        var volume = volume
        var outside = outside
        var random = SeededGenerator(workload.seed, operation, isTorn ? 1 : 0, crash == .kill ? 0 : 1, purpose)
        switch crash {
        case .kill, .one:
            volume.killAll()
            // The connections went with the daemons; the server's work did not, and programs go on.
            outside.requests = [:]
        case .power:
            volume.crash { random.survival(of: $0) }
            outside.programs = [:]
            outside.requests = [:]
            outside.people.halves = [:]
            // What helped may be lost.
            outside.people.helped = [:]
            outside.boot += 1
        }
        outside.pass(.seconds(random.chance(80) ? 1 : random.number(1..<4_000)))
        return World(workload, definitions, volume, outside, schedule: random, faults: faults)
    }
}

extension SeededGenerator {
    /// Whether something that was not synced is there after a power loss.
    mutating func survival(of thing: MemoryFileSystem.Unsynced) -> MemoryFileSystem.Survival {
        switch thing {
        case .name: return chance(50) ? .lost : .kept
        case .content(let synced, let live):
            switch number(0..<4) {
            case 0: return .lost
            case 1: return .kept
            default: return live > synced ? .torn(length: number(synced..<live + 1)) : .lost
            }
        }
    }
}

import SystemPackage
import WaybillPorts
import WaybillTestKit

/// How well a world's kernel tells what happens in folders.
package struct Hearing: Sendable {
    /// Per cent of the notifications that are lost, come twice, or come in another order.
    package var lost = 0
    package var doubled = 0
    package var reordered = 0
    /// Per cent of the batches that are replaced by "events were lost".
    package var overflow = 0
}

/// Hears of changes on a disk in memory, for one process.
final class SimulatedWatcher: DirectoryWatcher, @unchecked Sendable {
    private let disk: MemoryDisk
    private var deliver: (@Sendable ([WatchEvent]) -> Void)?
    private var folders: [Int: (id: WatchID, interest: WatchInterest)] = [:]
    private var lastNumber: Int32 = 0
    /// Notifications on their way.
    private var underWay: [WatchEvent] = []

    init(_ disk: MemoryDisk) { self.disk = disk }

    func start(_ deliver: @escaping @Sendable ([WatchEvent]) -> Void) { self.deliver = deliver }

    func watch(_ directory: FilePath, for interest: WatchInterest) throws(WatchError) -> WatchID {
        guard let folder = disk.withVolume({ $0.folder(at: directory) }) else {
            throw WatchError(code: .notFound, message: "there is no \(directory)", path: directory)
        }
        if let known = folders[folder] {
            folders[folder] = (known.id, interest)
            return known.id
        }
        lastNumber += 1
        let id = WatchID(number: lastNumber)
        folders[folder] = (id, interest)
        return id
    }

    func unwatch(_ id: WatchID) { folders = folders.filter { $0.value.id != id } }

    func stop() {
        folders = [:]
        underWay = []
        deliver = nil
    }

    // MARK: The kernel's side

    func take(_ changes: [MemoryChange], _ hearing: Hearing, _ random: inout SeededGenerator) {
        for change in changes {
            guard let (id, interest) = folders[change.folder] else { continue }
            if interest == .arrivals, change.kind == .deleted || change.kind == .attribute { continue }
            let event = WatchEvent(
                watch: id, kind: change.kind, name: change.name.bytes, isDirectory: change.isDirectory)
            if random.chance(hearing.lost) { continue }
            underWay.append(event)
            if random.chance(hearing.doubled) { underWay.append(event) }
        }
        if underWay.count > 1, random.chance(hearing.reordered) { underWay.shuffle(using: &random) }
    }

    var hasNews: Bool { !underWay.isEmpty }

    /// Hands a batch over.
    func tell(_ hearing: Hearing, _ random: inout SeededGenerator) {
        let count = random.number(1..<underWay.count + 1)
        let batch = Array(underWay[..<count])
        underWay.removeFirst(count)
        let isLost = random.chance(hearing.overflow)
        deliver?(isLost ? [WatchEvent(watch: nil, kind: .overflow)] : batch)
    }
}

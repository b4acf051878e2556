import Synchronization
import SystemPackage
import WaybillPorts
import WaybillStore

/// The places of `Settings.pools`, shared by all processes of a tree: a running attempt holds one.
///
/// A place is a file, `.waybill/pools/<name>/<number>`, and who holds its lock holds the place: it goes with the process,
/// however that ends. Who waits in this process is served when a place is given back here, first come first served, and
/// asks again now and then for what other processes give back.
final class Pools: Sendable {
    /// A held place.
    struct Place: Sendable {
        let pool: String
        fileprivate let file: any File
    }

    private struct Waiting {
        let pool: String
        let capacity: Int
        let start: @Sendable (Place) -> Void
    }

    private struct State {
        var capacities: [String: Int] = [:]
        var waiting: [Waiting] = []
    }

    private static let folder: FilePath = "pools"

    private let caches: any Directory
    private let state = Mutex(State())
    /// Called when somebody waits, so that `retry` is called a little later.
    private let onWaiting: @Sendable () -> Void

    /// - Parameter caches: `.waybill/`.
    init(in caches: any Directory, onWaiting: @escaping @Sendable () -> Void) {
        self.caches = caches
        self.onWaiting = onWaiting
    }

    /// How many places there are now. What is held beyond a smaller number is given back when its attempts end.
    func set(_ capacities: [String: Int]) { state.withLock { $0.capacities = capacities } }

    /// Calls `start` with a place: now, or once there is one. `start` must not block: it hands over.
    ///
    /// - Parameter capacity: for a pool that the settings do not name any more.
    func take(_ pool: String, capacity: Int, _ start: @escaping @Sendable (Place) -> Void) {
        let place = state.withLock { state -> Place? in
            let waiting = Waiting(pool: pool, capacity: capacity, start: start)
            // Nobody overtakes who waits for the same pool.
            if !state.waiting.contains(where: { $0.pool == pool }), let place = grasp(waiting, state) { return place }
            state.waiting.append(waiting)
            return nil
        }
        if let place { start(place) } else { onWaiting() }
    }

    func give(_ place: Place) {
        place.file.close()
        serve()
    }

    /// Looks for places that other processes gave back.
    ///
    /// - Returns: whether anybody still waits.
    @discardableResult
    func retry() -> Bool {
        serve()
        return state.withLock { !$0.waiting.isEmpty }
    }

    private func serve() {
        let served = state.withLock { state -> [(Waiting, Place)] in
            var served: [(Waiting, Place)] = []
            var left: [Waiting] = []
            var full: Set<String> = []
            for waiting in state.waiting {
                if !full.contains(waiting.pool), let place = grasp(waiting, state) {
                    served.append((waiting, place))
                } else {
                    full.insert(waiting.pool)
                    left.append(waiting)
                }
            }
            state.waiting = left
            return served
        }
        for (waiting, place) in served { waiting.start(place) }
    }

    /// A place that nobody holds; nil if there is none, or if the disk does not say.
    private func grasp(_ waiting: Waiting, _ state: State) -> Place? {
        let capacity = state.capacities[waiting.pool] ?? waiting.capacity
        let folder = Self.folder.appending(waiting.pool)
        do throws(FileSystemError) {
            _ = try caches.createDirectory(Self.folder, permissions: Permissions.folder)
            _ = try caches.createDirectory(folder, permissions: Permissions.folder)
            for number in 1...max(1, capacity) {
                let file = try open(folder.appending(String(number)))
                do throws(FileSystemError) {
                    try file.lock()
                    return Place(pool: waiting.pool, file: file)
                } catch  where error.code == .locked {
                    file.close()
                }
            }
            return nil
        } catch {
            return nil
        }
    }

    private func open(_ path: FilePath) throws(FileSystemError) -> any File {
        if let file = try caches.open(path, .readWrite) { return file }
        do throws(FileSystemError) {
            return try caches.create(path, permissions: Permissions.file)
        } catch  where error.code == .exists {
            guard let file = try caches.open(path, .readWrite) else { throw error }
            return file
        }
    }
}

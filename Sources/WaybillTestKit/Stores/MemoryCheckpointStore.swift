internal import Synchronization
package import WaybillCore
package import WaybillStore

/// Checkpoints in a dictionary.
package final class MemoryCheckpointStore: CheckpointStore {
    private let checkpoints = Mutex<[RunID: [Int: [UInt8]]]>([:])

    package init() {}

    package func write(_ bytes: [UInt8], run: RunID, seq: Int) throws(StoreError) -> Digest {
        checkpoints.withLock { $0[run, default: [:]][seq] = bytes }
        return Digest.sha256(bytes)
    }

    package func numbers(run: RunID) throws(StoreError) -> [Int] {
        checkpoints.withLock { $0[run]?.keys.sorted() ?? [] }
    }

    package func read(run: RunID, seq: Int) throws(StoreError) -> [UInt8]? {
        checkpoints.withLock { $0[run]?[seq] }
    }

    package func remove(run: RunID, seq: Int) throws(StoreError) {
        checkpoints.withLock { $0[run]?[seq] = nil }
    }
}

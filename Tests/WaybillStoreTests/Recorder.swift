import Synchronization
import WaybillTestKit

/// Notes the operations that pass a file system.
final class Recorder: Sendable {
    private let kinds = Mutex<[String]>([])

    var all: [String] { kinds.withLock { $0 } }

    func note(_ operation: MemoryFileSystem.Operation) -> MemoryFileSystem.Fault? {
        kinds.withLock { $0.append(operation.kind.rawValue) }
        return nil
    }
}

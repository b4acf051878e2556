internal import Synchronization
package import WaybillPorts

/// A disk in memory, and all processes' view of it.
package final class MemoryDisk: Sendable {
    private let state: Mutex<MemoryVolume>

    package init() { state = Mutex(MemoryVolume()) }

    /// The disk as it was at some moment.
    package init(_ volume: MemoryVolume) { state = Mutex(volume) }

    package func withVolume<Result: Sendable, Failure: Error>(
        _ body: (inout MemoryVolume) throws(Failure) -> sending Result
    ) throws(Failure) -> sending Result {
        try state.withLock { (volume) throws(Failure) -> sending Result in try body(&volume) }
    }
}

/// Something in a folder changed, as the kernel tells those who watch it.
package struct MemoryChange: Sendable {
    package var folder: Int
    package var kind: WatchEvent.Kind
    package var name: MemoryName
    package var isDirectory: Bool
}

/// What was said to be durable: content of files by path, and the names in folders.
package struct MemoryPromises: Sendable {
    /// By the path the file has, where that ends in one of the names that count.
    package private(set) var contents: [[MemoryName]: [UInt8]] = [:]
    package private(set) var names: [Int: Set<MemoryName>] = [:]
    private let files: Set<MemoryName>
    private let folders: Set<Int>

    /// - Parameters:
    ///   - files: the last names of the files to remember.
    ///   - folders: the folders whose names to remember.
    package init(files: Set<MemoryName>, folders: Set<Int>) {
        self.files = files
        self.folders = folders
    }

    mutating func keep(_ content: [UInt8], _ path: [MemoryName]) {
        if let name = path.last, files.contains(name) { contents[path] = content }
    }

    mutating func keep(folder: Int, _ entries: [MemoryName: Int]) {
        if folders.contains(folder) { names[folder, default: []].formUnion(entries.keys) }
    }
}

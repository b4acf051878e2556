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
    /// Files that were synced with less than was synced before, or with something else: what had been lost by then was
    /// written over.
    package private(set) var broken: Set<[MemoryName]> = []
    private let files: Set<MemoryName>
    private let folders: Set<Int>

    /// - Parameters:
    ///   - files: the last names of the files to remember.
    ///   - folders: the folders whose names to remember.
    package init(files: Set<MemoryName>, folders: Set<Int>) {
        self.files = files
        self.folders = folders
    }

    mutating func keep(_ content: [UInt8], _ places: [(folder: Int, name: MemoryName)]) {
        guard let name = places.last?.name, files.contains(name) else { return }
        // What is synced in a folder promises nothing before that folder's own name is synced.
        guard places.dropLast().allSatisfy({ !folders.contains($0.folder) || has($0.name, in: $0.folder) }) else {
            return
        }
        let path = places.map(\.name)
        if let before = contents[path], !content.begins(with: before) { broken.insert(path) }
        contents[path] = content
    }

    private func has(_ name: MemoryName, in folder: Int) -> Bool { names[folder]?.contains(name) ?? false }

    mutating func keep(folder: Int, _ entries: [MemoryName: Int]) {
        if folders.contains(folder) { names[folder, default: []].formUnion(entries.keys) }
    }
}

extension [UInt8] {
    /// As `starts(with:)`, at the speed of comparing memory.
    fileprivate func begins(with prefix: [UInt8]) -> Bool {
        count >= prefix.count && self[..<prefix.count].elementsEqual(prefix)
    }
}

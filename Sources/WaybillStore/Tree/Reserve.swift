internal import Synchronization
internal import SystemPackage
package import WaybillPorts

/// Room on the disk that the outcomes of steps alone may use: `.waybill/reserve`, a file without content.
///
/// Where the disk is full and an outcome finds no room, some of the file is cut off, and the outcome has it. What it did
/// not need is taken back at once, the rest when there is room. The processes of a tree share the file; each takes care of
/// what it cut off itself.
package final class Reserve: Sendable {
    package static let standardBytes: Int64 = 1 << 20
    /// So much is cut off at a time: more than an outcome needs, unless its output is large.
    private static let pieces: Int64 = 16
    /// What disks are filled by.
    private static let block: Int64 = 4_096
    private static let name: FilePath = "reserve"

    private let caches: any Directory
    private let size: Int64
    /// As far as this process knows.
    private let isWhole = Atomic(false)

    /// - Parameter caches: `.waybill/`, open.
    package init(in caches: any Directory, size: Int64 = standardBytes) {
        self.caches = caches
        self.size = size
    }

    /// Takes what is missing of it from the disk.
    ///
    /// - Throws: `.noSpace` if the disk does not have so much. A disk that does not set room apart is no error: there is no
    ///   reserve then.
    package func fill() throws(FileSystemError) {
        guard !isWhole.load(ordering: .acquiring) else { return }
        do throws(FileSystemError) {
            let file = try open()
            defer { file.close() }
            try grow(file)
            isWhole.store(true, ordering: .releasing)
        } catch {
            if error.code == .noSpace { throw error }
            // An empty one would say that the disk is full.
            if [.unsupported, .tooLarge].contains(error.code) { _ = try? caches.remove(Self.name) }
        }
    }

    /// Does something that must be done on a full disk, too: each time that it finds no room, it gets some of the reserve.
    package func lend<Result>(to body: () throws(StoreError) -> Result) throws(StoreError) -> Result {
        var hasLent = false
        defer { if hasLent { try? fill() } }
        while true {
            do throws(StoreError) {
                return try body()
            } catch {
                guard error.cause?.code == .noSpace, give() else { throw error }
                hasLent = true
            }
        }
    }

    /// What is left of it, in bytes; nil where there is none.
    package static func left(in caches: any Directory) -> Int64? {
        (try? caches.status(name)).flatMap { $0?.size }
    }

    private func open() throws(FileSystemError) -> any File {
        if let file = try caches.open(Self.name, .readWrite) { return file }
        return try caches.create(Self.name, permissions: Permissions.file)
    }

    /// Makes it as large as the disk allows.
    private func grow(_ file: any File) throws(FileSystemError) {
        do throws(FileSystemError) {
            return try file.allocate(size)
        } catch  where error.code == .noSpace {
            var length = try file.status().size
            while length < size {
                length += Self.block
                try file.allocate(length)
            }
        }
    }

    /// Cuts some of it off; false if nothing is left.
    private func give() -> Bool {
        isWhole.store(false, ordering: .releasing)
        guard let file = try? caches.open(Self.name, .readWrite) else { return false }
        defer { file.close() }
        guard let length = try? file.status().size, length > 0 else { return false }
        return (try? file.truncate(to: max(0, length - size / Self.pieces))) != nil
    }
}

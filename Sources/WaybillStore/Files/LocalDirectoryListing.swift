internal import CLinux
internal import Glibc
internal import SystemPackage
internal import WaybillPorts

/// Reads a folder through `getdents64` into one fixed buffer, so that a folder of any size costs the same memory.
final class LocalDirectoryListing: DirectoryListing {
    private static let bufferSize = 32_768
    // Offsets in struct linux_dirent64 (getdents64(2)): inode 8, offset 8, record length 2, type 1, name.
    private static let lengthOffset = 16
    private static let typeOffset = 18
    private static let nameOffset = 19

    private let descriptor: CInt
    private let place: LocalPlace
    private nonisolated(unsafe) let buffer: UnsafeMutableRawBufferPointer
    private nonisolated(unsafe) var position = 0
    private nonisolated(unsafe) var filled = 0
    private nonisolated(unsafe) var isAtEnd = false

    init(owning descriptor: CInt, _ place: LocalPlace) {
        self.descriptor = descriptor
        self.place = place
        buffer = .allocate(byteCount: Self.bufferSize, alignment: 8)
    }

    deinit {
        buffer.deallocate()
        Glibc.close(descriptor)
    }

    func next(limit: Int) throws(FileSystemError) -> [DirectoryEntry] {
        var entries: [DirectoryEntry] = []
        while entries.count < limit {
            if position == filled {
                guard try fill() else { break }
            }
            if let entry = takeRecord() { entries.append(entry) }
        }
        return entries
    }

    private func fill() throws(FileSystemError) -> Bool {
        if isAtEnd { return false }
        let count = wb_directory_entries(descriptor, buffer.baseAddress, buffer.count)
        if count < 0 {
            let error = Errno(rawValue: CInt(-count))
            // The folder itself was removed while it was open: it has no names.
            guard error == .noSuchFileOrDirectory else { throw FileSystemError(errno: error, "list", place.path) }
            isAtEnd = true
            return false
        }
        position = 0
        filled = count
        isAtEnd = count == 0
        return count > 0
    }

    /// The next record's name; nil for the folder itself and the one above it.
    private func takeRecord() -> DirectoryEntry? {
        let record = UnsafeRawBufferPointer(rebasing: buffer[position..<filled])
        let length = Int(record.loadUnaligned(fromByteOffset: Self.lengthOffset, as: UInt16.self))
        let type = record[Self.typeOffset]
        position += length
        guard let start = record.baseAddress?.advanced(by: Self.nameOffset) else { return nil }
        let name = FilePath.Component(platformString: start.assumingMemoryBound(to: CChar.self))
        guard let name, name.kind == .regular else { return nil }
        return DirectoryEntry(name: name, kind: FileKind(entryType: type))
    }
}

import SystemPackage
import WaybillPorts
import WaybillStore

extension RunFolder {
    private static let chunk = 1 << 20

    /// Puts a copy of one of the folder's files under another name, sharing its blocks where the file system can. It
    /// is not synced: whoever needs it for good reads the original.
    func place(_ original: FilePath, at path: FilePath) throws(StoreError) {
        do throws(FileSystemError) {
            guard let source = try directory.open(original, .read) else {
                throw FileSystemError(.notFound, "copy", original)
            }
            defer { source.close() }
            try directory.createDirectories(path.removingLastComponent())
            _ = try directory.remove(path)
            let copy = try directory.create(path, permissions: Permissions.file)
            defer { copy.close() }
            if try copy.clone(from: source) { return }
            var offset: Int64 = 0
            while true {
                let bytes = try source.read(at: offset, count: Self.chunk)
                if bytes.isEmpty { return }
                try copy.writeFully(bytes, at: offset)
                offset += Int64(bytes.count)
            }
        } catch {
            throw StoreError(error)
        }
    }
}

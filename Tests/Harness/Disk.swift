import Glibc
package import SystemPackage

/// Files without anything of Waybill between a test program and the kernel.
package enum Disk {
    /// Names in a folder, without `.` and `..`; none if it is missing.
    package static func names(in folder: FilePath) -> [String] {
        guard let stream = opendir(folder.string) else { return [] }
        defer { closedir(stream) }
        var names: [String] = []
        while let entry = readdir(stream) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name != ".", name != ".." { names.append(name) }
        }
        return names
    }

    /// The bytes of a file from an offset on; nil if it is missing.
    package static func bytes(_ path: FilePath, from offset: Int = 0) -> [UInt8]? {
        let file = open(path.string, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { return nil }
        defer { close(file) }
        lseek(file, offset, SEEK_SET)
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = read(file, &buffer, buffer.count)
            if count <= 0 { return bytes }
            bytes += buffer[..<count]
        }
    }

    package static func text(_ path: FilePath) -> String? { bytes(path).map { String(decoding: $0, as: UTF8.self) } }

    package static func lines(_ path: FilePath) -> [String] {
        text(path).map { $0.split(separator: "\n").map(String.init) } ?? []
    }

    package static func size(_ path: FilePath) -> Int {
        var status = stat()
        return stat(path.string, &status) == 0 ? Int(status.st_size) : 0
    }

    package static func exists(_ path: FilePath) -> Bool { access(path.string, F_OK) == 0 }

    package static func write(
        _ text: String, to path: FilePath, permissions: FilePermissions = [.ownerReadWrite]
    ) throws {
        let file = try FileDescriptor.open(path, .writeOnly, options: [.create, .truncate], permissions: permissions)
        try file.closeAfter { _ = try file.writeAll(text.utf8) }
    }

    /// Puts a whole file in place by rename, as `mv` does.
    package static func drop(_ text: String, at path: FilePath) throws {
        let aside = path.removingLastComponent().appending("\(path.lastComponent?.string ?? "").tmp")
        try write(text, to: aside)
        guard rename(aside.string, path.string) == 0 else { throw Errno(rawValue: errno) }
    }

    /// A path from the root, without links.
    ///
    /// - Throws: ``UsageError`` if there is nothing.
    package static func absolute(_ path: FilePath) throws -> FilePath {
        guard let resolved = realpath(path.string, nil) else {
            throw UsageError("\(path): \(Errno(rawValue: errno).description)")
        }
        defer { free(resolved) }
        return FilePath(String(cString: resolved))
    }

    package static func makeFolder(_ path: FilePath) throws {
        guard mkdir(path.string, 0o700) == 0 || errno == EEXIST else { throw Errno(rawValue: errno) }
    }

    package static func remove(_ path: FilePath) {
        for name in names(in: path) where unlink(path.appending(name).string) != 0 { remove(path.appending(name)) }
        rmdir(path.string)
    }
}

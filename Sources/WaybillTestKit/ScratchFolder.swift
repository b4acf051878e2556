import Glibc
package import SystemPackage

/// An empty folder of a test's own, removed with everything in it when the test lets go of it.
package final class ScratchFolder: Sendable {
    package let path: FilePath

    package init() {
        var template = Array("/tmp/waybill-test-XXXXXX".utf8CString)
        precondition(mkdtemp(&template) != nil, "cannot make a folder under /tmp")
        path = FilePath(String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self))
    }

    deinit { Self.remove(path) }

    package func file(_ name: String) -> FilePath { path.appending(name) }

    /// Creates a file with these bytes.
    @discardableResult
    package func write(_ name: String, _ text: String, mode: UInt32 = 0o600) -> FilePath {
        let file = path.appending(name)
        let descriptor = open(file.string, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode)
        precondition(descriptor >= 0, "cannot create \(file)")
        defer { close(descriptor) }
        let bytes = Array(text.utf8)
        precondition(Glibc.write(descriptor, bytes, bytes.count) == bytes.count)
        fchmod(descriptor, mode)
        return file
    }

    /// The bytes of a file; nil if it is missing.
    package func read(_ name: String) -> [UInt8]? {
        let descriptor = open(path.appending(name).string, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 64 << 10)
        while true {
            let count = Glibc.read(descriptor, &buffer, buffer.count)
            guard count > 0 else { return bytes }
            bytes += buffer[..<count]
        }
    }

    /// A file as text; nil if it is missing.
    package func text(_ name: String) -> String? { read(name).map { String(decoding: $0, as: UTF8.self) } }

    @discardableResult
    package func makeFolder(_ name: String) -> FilePath {
        let folder = path.appending(name)
        precondition(mkdir(folder.string, 0o700) == 0, "cannot make \(folder)")
        return folder
    }

    @discardableResult
    package func makeFIFO(_ name: String) -> FilePath {
        let fifo = path.appending(name)
        precondition(mkfifo(fifo.string, 0o600) == 0, "cannot make \(fifo)")
        return fifo
    }

    private static func remove(_ path: FilePath) {
        var status = stat()
        guard lstat(path.string, &status) == 0 else { return }
        guard status.st_mode & S_IFMT == S_IFDIR else {
            unlink(path.string)
            return
        }
        chmod(path.string, 0o700)
        if let folder = opendir(path.string) {
            var names: [String] = []
            while let entry = readdir(folder) {
                names.append(
                    withUnsafePointer(to: &entry.pointee.d_name) {
                        $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
                    })
            }
            closedir(folder)
            for name in names where name != "." && name != ".." { remove(path.appending(name)) }
        }
        rmdir(path.string)
    }
}

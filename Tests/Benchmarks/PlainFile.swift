import Glibc
import SystemPackage

/// Files without anything of Waybill between harness and kernel.
enum PlainFile {
    static func text(_ path: FilePath) -> String? {
        guard let file = fopen(path.string, "r") else { return nil }
        defer { fclose(file) }
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = fread(&buffer, 1, buffer.count, file)
            if count == 0 { break }
            bytes += buffer[..<count]
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    static func write(_ bytes: [UInt8], to path: FilePath) throws {
        let file = try FileDescriptor.open(
            path, .writeOnly, options: [.create, .truncate], permissions: [.ownerReadWrite])
        try file.closeAfter { _ = try file.writeAll(bytes) }
    }

    static func size(_ path: FilePath) -> Int {
        var status = stat()
        return stat(path.string, &status) == 0 ? Int(status.st_size) : 0
    }

    static func exists(_ path: FilePath) -> Bool { access(path.string, F_OK) == 0 }

    /// Appends so many records, each with one `pwrite` and, where that is asked for, one `fdatasync`.
    static func append(_ count: Int, recordsOf size: Int, to path: FilePath, isSynced: Bool = true) throws {
        let file = try FileDescriptor.open(
            path, .readWrite, options: [.create, .truncate], permissions: [.ownerReadWrite])
        try file.closeAfter {
            let record = [UInt8](repeating: UInt8(ascii: "x"), count: size - 1) + [UInt8(ascii: "\n")]
            for index in 0..<count {
                try record.withUnsafeBytes { bytes in
                    guard try file.writeAll(toAbsoluteOffset: Int64(index * size), bytes) == size else {
                        throw Errno.ioError
                    }
                }
                guard !isSynced || fdatasync(file.rawValue) == 0 else { throw Errno(rawValue: errno) }
            }
        }
    }
}

extension FilePath {
    /// A relative path below this one.
    func at(_ path: String) -> FilePath { pushing(FilePath(path)) }
}

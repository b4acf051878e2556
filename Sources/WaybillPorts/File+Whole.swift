internal import SystemPackage

// What every form of file system does alike: whole transfers made of the port's small operations. They
// live here so that a faulty form can interrupt them at every single operation.

extension File {
    /// How often in a row a transfer may be interrupted without a byte moved before it counts as failed.
    private static var maximumInterruptions: Int { 1_000 }

    /// Fills the buffer, through short and interrupted reads; less only at the end of the file.
    ///
    /// - Parameter enough: with so many bytes it is left at what has come.
    package func readFully(
        into buffer: UnsafeMutableRawBufferPointer, at offset: Int64, enough: Int = .max
    ) throws(FileSystemError) -> Int {
        var done = 0
        var interruptions = 0
        while done < min(buffer.count, enough) {
            do throws(FileSystemError) {
                let rest = UnsafeMutableRawBufferPointer(rebasing: buffer[done...])
                let count = try read(into: rest, at: offset + Int64(done))
                if count == 0 { break }
                done += count
                interruptions = 0
            } catch  where error.code == .interrupted && interruptions < Self.maximumInterruptions {
                interruptions += 1
            }
        }
        return done
    }

    /// At most `count` bytes from an offset; fewer only at the end of the file, or once there are `enough`.
    package func read(at offset: Int64, count: Int, enough: Int = .max) throws(FileSystemError) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: count)
        var failure: FileSystemError?
        var length = 0
        bytes.withUnsafeMutableBytes { buffer in
            do throws(FileSystemError) {
                length = try readFully(into: buffer, at: offset, enough: enough)
            } catch {
                failure = error
            }
        }
        if let failure { throw failure }
        bytes.removeLast(count - length)
        return bytes
    }

    /// Writes all bytes, through short and interrupted writes.
    /// - Throws: what the first failing write says; a part of the bytes may then be in the file.
    package func writeFully(_ bytes: [UInt8], at offset: Int64) throws(FileSystemError) {
        var failure: FileSystemError?
        bytes.withUnsafeBytes { buffer in
            do throws(FileSystemError) {
                try writeFully(buffer, at: offset)
            } catch {
                failure = error
            }
        }
        if let failure { throw failure }
    }

    /// As above, from memory of any kind.
    package func writeFully(_ bytes: UnsafeRawBufferPointer, at offset: Int64) throws(FileSystemError) {
        var done = 0
        var idle = 0
        while done < bytes.count {
            guard idle <= Self.maximumInterruptions else { throw FileSystemError(.io, "write", path) }
            do throws(FileSystemError) {
                let count = try write(UnsafeRawBufferPointer(rebasing: bytes[done...]), at: offset + Int64(done))
                idle = count == 0 ? idle + 1 : 0
                done += count
            } catch  where error.code == .interrupted {
                idle += 1
            }
        }
    }

    /// The whole content.
    /// - Throws: `.tooLarge` when there are more than `limit` bytes, before any is read where the length says so.
    package func readAll(limit: Int) throws(FileSystemError) -> [UInt8] {
        try readAll(size: try status().size, limit: limit)
    }

    /// The whole content of a file that had so many bytes a moment ago.
    package func readAll(size: Int64, limit: Int) throws(FileSystemError) -> [UInt8] {
        guard size <= Int64(limit) else { throw FileSystemError(.tooLarge, "read", path) }
        // One byte more than the length says shows whether the file has grown since; where the first call brings what the
        // length says, nothing is asked again.
        var bytes = try read(at: 0, count: Int(size) + 1, enough: Int(size))
        while bytes.count > Int(size) {
            guard bytes.count <= limit else { throw FileSystemError(.tooLarge, "read", path) }
            let more = try read(at: Int64(bytes.count), count: min(limit - bytes.count + 1, 65_536))
            if more.isEmpty { break }
            bytes += more
        }
        guard bytes.count <= limit else { throw FileSystemError(.tooLarge, "read", path) }
        return bytes
    }
}

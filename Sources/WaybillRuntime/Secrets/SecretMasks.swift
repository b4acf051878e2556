import CLinux
import Glibc
import WaybillPorts

/// Finds secrets, in all the forms that `masks.h` names, in what an attempt left; once made it never changes.
final class SecretMasks: @unchecked Sendable {
    // Read by several threads, written by none.
    private let masks: OpaquePointer

    /// - Returns: nil for want of memory.
    init?(_ secrets: [String]) {
        let texts = secrets.map { strdup($0) }
        defer { for text in texts { free(text) } }
        let made = texts.map { UnsafePointer($0) }.withUnsafeBufferPointer {
            wb_masks_make($0.baseAddress, $0.count)
        }
        guard let made else { return nil }
        masks = made
    }

    deinit { wb_masks_free(masks) }

    /// The bytes with `***` in the places of secrets; nil for want of memory.
    func masked(_ bytes: [UInt8]) -> [UInt8]? {
        var result: [UInt8] = []
        let count = scan(bytes.count) { offset, size in
            Array(bytes[offset..<offset + size])
        } each: {
            result += $0
        }
        return count.map { $0 == 0 ? bytes : result }
    }

    /// The same of a short text; without memory nothing is left of it.
    func masked(_ text: String) -> String {
        masked(Array(text.utf8)).map { String(decoding: $0, as: UTF8.self) } ?? "***"
    }

    /// Whether a file holds a secret; true for want of memory, too.
    func isFound(in file: any File) throws(FileSystemError) -> Bool {
        let size = try file.status().size
        var failure: FileSystemError?
        let count = scan(Int(size)) { offset, size in
            do throws(FileSystemError) {
                return try file.read(at: Int64(offset), count: size)
            } catch {
                failure = error
                return []
            }
        }
        if let failure { throw failure }
        return count != 0
    }

    /// Looks through something, a piece at a time; how often a secret is in it, or nil for want of memory.
    private func scan(
        _ size: Int, read: (_ offset: Int, _ size: Int) -> [UInt8], each: (UnsafeRawBufferPointer) -> Void = { _ in }
    ) -> Int? {
        guard let stream = wb_mask_stream_make(masks) else { return nil }
        defer { wb_mask_stream_free(stream) }
        var out: UnsafeRawPointer?
        for offset in stride(from: 0, to: size, by: Int(WB_MASK_CHUNK)) {
            let bytes = read(offset, min(Int(WB_MASK_CHUNK), size - offset))
            if bytes.isEmpty { break }
            let count = bytes.withUnsafeBytes { wb_mask_feed(stream, $0.baseAddress, $0.count, &out) }
            each(UnsafeRawBufferPointer(start: out, count: count))
        }
        let count = wb_mask_end(stream, &out)
        each(UnsafeRawBufferPointer(start: out, count: count))
        return Int(wb_mask_found(stream))
    }
}

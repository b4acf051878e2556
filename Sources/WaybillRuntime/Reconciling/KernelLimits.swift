import Glibc

/// Limits that the kernel sets for this user.
package enum KernelLimits {
    /// How many folders may be watched (`fs.inotify.max_user_watches`).
    package static var watches: Int {
        number("/proc/sys/fs/inotify/max_user_watches") ?? 8_192
    }

    private static func number(_ path: String) -> Int? {
        guard let file = fopen(path, "r") else { return nil }
        defer { fclose(file) }
        var buffer = [UInt8](repeating: 0, count: 32)
        let count = fread(&buffer, 1, buffer.count, file)
        return Int(String(decoding: buffer[..<count].filter { $0 >= 0x30 && $0 <= 0x39 }, as: UTF8.self))
    }
}

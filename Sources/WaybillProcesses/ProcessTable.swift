import Glibc

/// What `/proc` says about who is whose child.
///
/// Reads are raw system calls into one buffer: this runs at the end of every step.
final class ProcessTable {
    private let ownPid = getpid()
    private var buffer = [UInt8](repeating: 0, count: 16 * 1024)
    /// Kept open; -1 where the kernel has no such file (`CONFIG_PROC_CHILDREN`).
    private let ownChildren: Int32
    private let ownStat: Int32

    init() {
        ownChildren = open("/proc/self/task/\(ownPid)/children", O_RDONLY | O_CLOEXEC)
        ownStat = open("/proc/self/task/\(ownPid)/stat", O_RDONLY | O_CLOEXEC)
    }

    deinit {
        if ownChildren >= 0 { close(ownChildren) }
        if ownStat >= 0 { close(ownStat) }
    }

    /// The processes that this one has inherited, among others.
    ///
    /// The kernel gives orphans to the first thread that lives, so the list of the main thread holds them all,
    /// and only where that one has ended every thread is asked. Without these lists it is all processes there are.
    func possibleOrphans() -> [Int32] {
        guard ownChildren >= 0 else { return allProcesses() }
        guard mainThreadLives else { return children(of: ownPid) }
        return numbers(in: ownChildren)
    }

    /// The children of all threads of a process; empty if it is gone.
    func children(of pid: Int32) -> [Int32] {
        guard ownChildren >= 0 else { return allProcesses().filter { parent(of: $0) == pid } }
        return entries(of: "/proc/\(pid)/task").flatMap { thread -> [Int32] in
            let file = open("/proc/\(pid)/task/\(thread)/children", O_RDONLY | O_CLOEXEC)
            guard file >= 0 else { return [] }
            defer { close(file) }
            return numbers(in: file)
        }
    }

    /// When a process was started, in clock ticks since the boot; nil if it is gone.
    static func startTicks(of pid: Int32) -> UInt64? {
        field(22, ofStat: "/proc/\(pid)/stat").flatMap { UInt64($0) }
    }

    private func parent(of pid: Int32) -> Int32? {
        Self.field(4, ofStat: "/proc/\(pid)/stat").flatMap { Int32($0) }
    }

    /// A field of `proc_pid_stat(5)`, from 3: the second holds the program's name, which may contain anything.
    private static func field(_ number: Int, ofStat path: String) -> String? {
        let file = open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { return nil }
        defer { close(file) }
        var bytes = [UInt8](repeating: 0, count: 1024)
        let count = read(file, &bytes, bytes.count)
        guard count > 0, let nameEnd = bytes[..<count].lastIndex(of: UInt8(ascii: ")")) else { return nil }
        let fields = bytes[(nameEnd + 1)..<count].split(separator: UInt8(ascii: " "))
        guard fields.indices.contains(number - 3) else { return nil }
        return String(decoding: fields[number - 3], as: UTF8.self)
    }

    private var mainThreadLives: Bool {
        let count = pread(ownStat, &buffer, buffer.count, 0)
        guard count > 0, let nameEnd = buffer[..<count].lastIndex(of: UInt8(ascii: ")")), nameEnd + 2 < count else {
            return false
        }
        let state = buffer[nameEnd + 2]
        return state != UInt8(ascii: "Z") && state != UInt8(ascii: "X")
    }

    private func allProcesses() -> [Int32] {
        entries(of: "/proc").filter { $0 != ownPid }
    }

    /// The entries of a folder that are numbers.
    private func entries(of path: String) -> [Int32] {
        guard let folder = opendir(path) else { return [] }
        defer { closedir(folder) }
        var found: [Int32] = []
        while let entry = readdir(folder) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if let number = Int32(name) { found.append(number) }
        }
        return found
    }

    /// The numbers of a file, separated by blanks.
    private func numbers(in file: Int32) -> [Int32] {
        var found: [Int32] = []
        var number: Int32 = 0
        var offset = 0
        while true {
            let count = pread(file, &buffer, buffer.count, off_t(offset))
            guard count > 0 else { return found }
            for byte in buffer[..<count] {
                if byte == UInt8(ascii: " ") {
                    found.append(number)
                    number = 0
                } else {
                    number = number &* 10 &+ Int32(byte &- UInt8(ascii: "0"))
                }
            }
            offset += count
        }
    }
}

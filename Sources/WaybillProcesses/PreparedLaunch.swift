import CLinux
import Glibc
import SystemPackage
import WaybillCore
import WaybillPorts

/// A request with all that can fail before there is a process: checked texts, files, the way back.
///
struct PreparedLaunch {
    let files: AttemptFiles?
    /// Where the monitor reports.
    let report: OwnedDescriptor
    /// What goes to the supervisor.
    let packet: [UInt8]
    private let owned: [OwnedDescriptor]
    private let logs: [FilePath]

    var descriptors: [Int32] { owned.map(\.number) }

    init(_ request: LaunchRequest) throws(LaunchError) {
        try LaunchMessage.check(request)
        var message = LaunchMessage(request)
        var owned: [OwnedDescriptor] = []
        var logs: [FilePath] = []
        files = request.exitFile.map(AttemptFiles.init)
        do throws(LaunchError) {
            if let files {
                let (lock, wasPrepared) = try files.claim()
                if wasPrepared { Self.removeLeftovers(request) }
                message.add(WB_FILE_LOCK)
                owned.append(lock)
            }
            let ends = try Self.pipe()
            report = ends.reading
            message.add(WB_FILE_REPORT)
            owned.append(ends.writing)
            if let files {
                message.add(WB_FILE_FOLDER)
                let folder = open(files.folder.string, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
                owned.append(try OwnedDescriptor(folder, "cannot open \(files.folder)"))
            }
            if let input = request.input, !input.isEmpty {
                message.add(WB_FILE_INPUT)
                owned.append(try Self.memory(input, "cannot keep the standard input"))
            }
            for (path, flag) in [(request.stdoutPath, WB_FILE_STDOUT), (request.stderrPath, WB_FILE_STDERR)] {
                guard let path else { continue }
                let log = open(path.string, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0o600)
                guard log >= 0 else { throw LaunchError.file(errno, "log", path) }
                logs.append(path)
                message.add(flag)
                owned.append(try OwnedDescriptor(log, "log"))
            }
            if message.isLong {
                message.add(WB_FILE_BODY)
                owned.append(try Self.memory(message.texts, "cannot keep the request"))
            }
        } catch {
            // Nothing was started: the next try must find the way free.
            for log in logs { unlink(log.string) }
            if !owned.isEmpty { files?.remove() }
            throw error
        }
        packet = message.packet
        self.owned = owned
        self.logs = logs
    }

    /// Closes what was sent: whoever received it has copies.
    func closeSent() {
        for descriptor in owned { descriptor.close() }
    }

    /// Removes what a launch that came to nothing would leave.
    func abandon() {
        for log in logs { unlink(log.string) }
        files?.remove()
    }

    /// Of an attempt that was prepared, and not begun, by a process that ended in between.
    private static func removeLeftovers(_ request: LaunchRequest) {
        for path in [request.stdoutPath, request.stderrPath] {
            if let path { unlink(path.string) }
        }
    }

    private static func pipe() throws(LaunchError) -> (reading: OwnedDescriptor, writing: OwnedDescriptor) {
        var ends: (reading: Int32, writing: Int32) = (-1, -1)
        guard waybill_pipe(&ends.reading, &ends.writing) == 0 else {
            throw LaunchError.system(errno, "cannot make a pipe")
        }
        // Only our end.
        _ = fcntl(ends.reading, F_SETFL, O_NONBLOCK)
        return (try OwnedDescriptor(ends.reading, "pipe"), try OwnedDescriptor(ends.writing, "pipe"))
    }

    /// A file in memory with these bytes, at its beginning: no thread has to feed a pipe, and a program that reads
    /// nothing blocks nobody.
    private static func memory(_ bytes: [UInt8], _ what: String) throws(LaunchError) -> OwnedDescriptor {
        let file = try OwnedDescriptor(waybill_memory_file("waybill"), what)
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { write(file.number, $0.baseAddress, $0.count) }
            guard count > 0 else { throw LaunchError.system(errno, what) }
            rest = rest.dropFirst(count)
        }
        lseek(file.number, 0, SEEK_SET)
        return file
    }
}

import CLinux
import Glibc
import Synchronization
import SystemPackage
import WaybillPorts

/// The way to a tree's supervisor, which is started when it is needed: it ends by itself when it is not.
final class SupervisorConnection: Sendable {
    private let caches: FilePath
    private let program: SupervisorProgram
    /// -1 while there is none.
    private let socket = Mutex<Int32>(-1)

    /// A supervisor that was found may end before it gets the request, and the next one as well.
    private static let mostTries = 4

    /// - Parameter caches: `.waybill/`.
    init(caches: FilePath, program: SupervisorProgram) {
        self.caches = caches
        self.program = program
    }

    deinit { close() }

    func close() {
        socket.withLock { socket in
            if socket >= 0 { Glibc.close(socket) }
            socket = -1
        }
    }

    /// Hands a message over. It is not said whether anybody took it up: the lock and the report that it carries are.
    ///
    /// - Throws: ``LaunchError`` if no supervisor can be had, or takes anything.
    func send(_ packet: [UInt8], files: [Int32]) throws(LaunchError) {
        let failure = socket.withLock { socket -> LaunchError? in
            do throws(LaunchError) {
                for _ in 0..<Self.mostTries {
                    if socket < 0 { socket = try connect() }
                    let result = wb_send(socket, packet, packet.count, files, files.count)
                    if result == 0 { return nil }
                    guard result == -EPIPE || result == -ECONNRESET || result == -ENOTCONN else {
                        return LaunchError.system(-result, "the supervisor takes no requests")
                    }
                    Glibc.close(socket)
                    socket = -1
                }
                return LaunchError(code: .noResources, message: "the supervisor ends as soon as it is started")
            } catch {
                return error
            }
        }
        if let failure { throw failure }
    }

    private func connect() throws(LaunchError) -> Int32 {
        for _ in 0..<Self.mostTries {
            let directory = try OwnedDescriptor(
                open(caches.string, O_RDONLY | O_DIRECTORY | O_CLOEXEC), "cannot open \(caches)")
            let name = "supervisor-\(WB_SUPERVISION_VERSION)-\(geteuid()).sock"
            let socket = wb_connect(directory.number, name)
            if socket >= 0 { return socket }
            guard socket == -ENOENT || socket == -ECONNREFUSED else {
                throw LaunchError.system(-socket, "cannot reach the supervisor of \(caches)")
            }
            try program.start(in: caches)
        }
        throw LaunchError(code: .noResources, message: "the supervisor ends as soon as it is started")
    }
}

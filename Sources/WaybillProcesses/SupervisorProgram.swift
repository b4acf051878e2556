import CLinux
import Glibc
package import SystemPackage
import WaybillPorts

/// The executable that supervises a tree's steps, and how it is brought to life.
package struct SupervisorProgram: Sendable {
    private static let name = "waybill-supervisor"
    /// Of what it says when it cannot serve.
    private static let mostBytes = 4_096

    let path: FilePath

    /// - Parameter path: The executable; nil: the one beside this process's own, which was installed with it.
    package init(path: FilePath? = nil) {
        self.path = path ?? Self.beside(Self.ownExecutable)
    }

    private static var ownExecutable: FilePath {
        var target = [CChar](repeating: 0, count: Int(PATH_MAX))
        let count = readlink("/proc/self/exe", &target, target.count)
        return FilePath(String(decoding: target.prefix(max(count, 0)).map { UInt8(bitPattern: $0) }, as: UTF8.self))
    }

    /// The kernel marks an executable that was replaced since; its folder is still where the new ones are.
    static func beside(_ executable: FilePath) -> FilePath { executable.removingLastComponent().appending(name) }

    /// Has the tree served: by one that is started, or by one that somebody else has just started.
    ///
    /// - Parameter caches: `.waybill/`.
    /// - Throws: ``LaunchError`` where the executable is missing, of another version, or refused by the system.
    func start(in caches: FilePath) throws(LaunchError) {
        guard access(path.string, X_OK) == 0 else {
            throw LaunchError(
                code: .system,
                message: "\(path): \(Errno(rawValue: errno).description); it belongs beside the waybill executable",
                path: path)
        }
        var ends: (reading: Int32, writing: Int32) = (-1, -1)
        guard waybill_pipe(&ends.reading, &ends.writing) == 0 else {
            throw LaunchError.system(errno, "cannot make a pipe")
        }
        let reading = try OwnedDescriptor(ends.reading, "pipe")
        var writing: OwnedDescriptor? = try OwnedDescriptor(ends.writing, "pipe")
        let null = try OwnedDescriptor(open("/dev/null", O_RDONLY | O_CLOEXEC), "cannot open /dev/null")
        let result = try spawn([path.string, "\(WB_SUPERVISION_VERSION)", caches.string], null.number, ends.writing)
        writing = nil
        _ = writing
        defer {
            close(result.pidfd)
            while waitpid(result.pid, nil, 0) < 0, errno == EINTR {}
        }
        // It ends once the tree is served: the pipe's other end is closed then, without a word.
        let complaint = Self.readAll(reading)
        guard complaint.isEmpty else {
            throw LaunchError(code: .system, message: "\(path.lastComponent?.string ?? ""): \(complaint)", path: path)
        }
    }

    private func spawn(
        _ words: [String], _ input: Int32, _ output: Int32
    ) throws(LaunchError) -> waybill_spawn_result {
        let texts: [UnsafeMutablePointer<CChar>?] = words.map { strdup($0) } + [nil]
        defer { for text in texts { free(text) } }
        var result = waybill_spawn_result()
        texts.withUnsafeBufferPointer { argv in
            let paths = [UnsafePointer(texts[0]), nil]
            let none: [UnsafeMutablePointer<CChar>?] = [nil]
            paths.withUnsafeBufferPointer { paths in
                none.withUnsafeBufferPointer { environment in
                    "/".withCString { root in
                        var request = waybill_spawn_request()
                        request.paths = paths.baseAddress
                        request.argv = argv.baseAddress
                        request.envp = environment.baseAddress
                        request.directory = root
                        request.standard = (input, output, output)
                        _ = waybill_spawn(&request, &result)
                    }
                }
            }
        }
        guard result.failure == 0 else { throw LaunchError.system(result.failure, "cannot start \(path)") }
        return result
    }

    private static func readAll(_ pipe: OwnedDescriptor) -> String {
        var text: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: mostBytes)
        while text.count < mostBytes {
            let count = read(pipe.number, &buffer, buffer.count)
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { break }
            text += buffer[..<count]
        }
        while text.last == UInt8(ascii: "\n") { text.removeLast() }
        return String(decoding: text, as: UTF8.self)
    }
}

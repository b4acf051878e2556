import CLinux
import Glibc
package import SystemPackage
package import WaybillCore
package import WaybillPorts

/// Reads secrets of this machine: files, the environment of this process, systemd's credentials, commands.
package struct LocalSecretReader: SecretReader {
    /// How long a command may take.
    package static let patience = Duration.seconds(30)
    /// The shortest and the longest secret, in bytes.
    package static let sizes = Int(WB_SHORTEST_SECRET)...Int(WB_LONGEST_SECRET)

    private let root: FilePath
    private let patience: Duration

    /// - Parameters:
    ///   - root: the tree's, from which relative paths count, and where commands run.
    ///   - patience: for a command.
    package init(root: FilePath, patience: Duration = Self.patience) {
        self.root = root
        self.patience = patience
    }

    package func read(_ source: SecretSource) throws(SecretError) -> String {
        switch source {
        case .environment(let name): return try variable(name)
        case .file(let path): return try Self.secret(in: file(root.pushing(FilePath(path)), isPrivate: true), source)
        case .credential(let name): return try Self.secret(in: credential(name), source)
        case .command(let words):
            let command = SecretCommand(words: words, directory: root, patience: patience)
            return try Self.secret(in: try command.run(), source)
        }
    }

    private func variable(_ name: String) throws(SecretError) -> String {
        guard let value = getenv(name) else {
            throw SecretError(.missing, "the environment variable \(name) is not set")
        }
        return try Self.checked(
            Array(UnsafeBufferPointer(start: value, count: strlen(value)).map(UInt8.init(bitPattern:))),
            .environment(name))
    }

    private func credential(_ name: String) throws(SecretError) -> [UInt8] {
        guard let folder = getenv("CREDENTIALS_DIRECTORY") else {
            throw SecretError(
                .missing, "the credential \(name): CREDENTIALS_DIRECTORY is not set; systemd sets it for services")
        }
        // Who may read it is systemd's business, which keeps everybody else out of the folder.
        return try file(FilePath(String(cString: folder)).appending(name), isPrivate: false)
    }

    /// Links are followed: secrets are often mounted as such.
    private func file(_ path: FilePath, isPrivate: Bool) throws(SecretError) -> [UInt8] {
        let file = open(path.string, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY)
        guard file >= 0 else {
            let reason = Errno(rawValue: errno)
            let isMissing = reason == .noSuchFileOrDirectory || reason == .notDirectory
            throw SecretError(
                isMissing ? .missing : .failed,
                isMissing ? "there is no file \(path)" : "\(path) cannot be read: \(reason.description)")
        }
        defer { close(file) }
        var status = stat()
        guard fstat(file, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
            throw SecretError(.failed, "\(path) is no regular file")
        }
        guard !isPrivate || status.st_mode & 0o077 == 0 else {
            throw SecretError(.tooOpen, "\(path) is open to others than its owner; `chmod 600 \(path)` closes it")
        }
        guard !isPrivate || status.st_uid == geteuid() || status.st_uid == 0 else {
            throw SecretError(.tooOpen, "\(path) belongs to another user, who can read and change it")
        }
        var bytes = [UInt8](repeating: 0, count: Self.sizes.upperBound + 3)
        var size = 0
        while size < bytes.count {
            let count = bytes.withUnsafeMutableBytes {
                Glibc.read(file, $0.baseAddress?.advanced(by: size), $0.count - size)
            }
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else {
                throw SecretError(.failed, "\(path) cannot be read: \(Errno(rawValue: errno).description)")
            }
            if count == 0 { break }
            size += count
        }
        return Array(bytes[..<size])
    }

    /// Without the line feed that editors and commands put at the end.
    private static func secret(in bytes: [UInt8], _ source: SecretSource) throws(SecretError) -> String {
        var bytes = bytes[...]
        if bytes.last == UInt8(ascii: "\n") {
            bytes.removeLast()
            if bytes.last == UInt8(ascii: "\r") { bytes.removeLast() }
        }
        return try checked(Array(bytes), source)
    }

    private static func checked(_ bytes: [UInt8], _ source: SecretSource) throws(SecretError) -> String {
        let what = "what the \(source.kind) \(source.detail) gives"
        guard !bytes.isEmpty else { throw SecretError(.unusable, "\(what) is empty") }
        guard bytes.count >= sizes.lowerBound else {
            throw SecretError(
                .unusable, "\(what) is shorter than \(sizes.lowerBound) bytes: it could not be masked reliably")
        }
        guard bytes.count <= sizes.upperBound else {
            throw SecretError(.unusable, "\(what) is longer than \(sizes.upperBound) bytes")
        }
        guard !bytes.contains(0), let text = String(validating: bytes, as: UTF8.self) else {
            throw SecretError(.unusable, "\(what) is no text: encode it, for instance as base64")
        }
        return text
    }
}

import Glibc
package import SystemPackage
package import WaybillEngine
package import WaybillManifests
package import WaybillPorts

/// Reads key files: private ones that nobody else may read, and public ones.
package struct KeyFiles: Sendable {
    private static let limit = 64 << 10

    private let root: FilePath
    private let fileSystem: any FileSystem

    /// - Parameter root: the tree's, which relative paths are relative to.
    package init(root: FilePath, fileSystem: any FileSystem) {
        self.root = root
        self.fileSystem = fileSystem
    }

    /// The private key in a file.
    ///
    /// - Throws: `storage`, where it is missing, is no key, belongs to somebody else, or may be read by others.
    package func signingKey(_ path: String) throws(RuntimeError) -> SigningKey {
        let (text, status) = try read(path)
        let what = "the signing key \(path)"
        guard status.userID == geteuid() || status.userID == 0 else {
            throw RuntimeError(.storage, "\(what) belongs to another user (uid \(status.userID))")
        }
        guard status.permissions & 0o077 == 0 else {
            throw RuntimeError(.storage, "\(what) may be read by others; chmod 600 \(path)")
        }
        guard let key = SigningKey(text: text) else {
            throw RuntimeError(.storage, "\(what) is none; `waybill keys generate` makes one")
        }
        return key
    }

    /// The public keys in a file.
    ///
    /// - Throws: `storage`, where it is missing or a line of it is no Ed25519 key.
    package func publicKeys(_ path: String) throws(RuntimeError) -> [PublicKey] {
        guard let keys = PublicKey.keys(in: try read(path).text) else {
            throw RuntimeError(
                .storage, "\(path) holds no Ed25519 public keys, one `ssh-ed25519 AAAA... name` in a line")
        }
        return keys
    }

    /// A key as it stands on a command line: the key itself, or a file.
    package func publicKeys(from argument: String) throws(RuntimeError) -> [PublicKey] {
        if let key = PublicKey(line: argument) { return [key] }
        return try publicKeys(argument)
    }

    /// The keys that settings trust: those they name, and the one they sign with where it can be read.
    package func trusted(by settings: SettingsDefinition) throws(RuntimeError) -> [PublicKey] {
        var keys: [PublicKey] = []
        for path in settings.trustedKeys { keys += try publicKeys(path) }
        if let path = settings.signingKey, let own = try? signingKey(path).publicKey,
            !keys.contains(where: { $0.fingerprint == own.fingerprint })
        {
            keys.append(own)
        }
        return keys
    }

    /// What tells one state of a file from another.
    func status(_ path: String) -> FileStatus? {
        let path = root.pushing(FilePath(path))
        guard let name = path.lastComponent,
            let folder = try? fileSystem.openDirectory(path.removingLastComponent())
        else { return nil }
        return try? folder.status(FilePath(root: nil, [name]))
    }

    private func read(_ path: String) throws(RuntimeError) -> (text: String, status: FileStatus) {
        let (bytes, status) = try content(root.pushing(FilePath(path)))
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw RuntimeError(.storage, "\(path) is no text")
        }
        return (text, status)
    }

    private func content(_ place: FilePath) throws(RuntimeError) -> (bytes: [UInt8], status: FileStatus) {
        do throws(FileSystemError) {
            guard let name = place.lastComponent,
                let folder = try fileSystem.openDirectory(place.removingLastComponent()),
                let file = try folder.open(FilePath(root: nil, [name]), .read)
            else { throw FileSystemError(.notFound, "open", place) }
            defer { file.close() }
            let status = try file.status()
            guard status.kind == .file else { throw FileSystemError(.wrongKind, "open", place) }
            return (try file.readAll(limit: Self.limit), status)
        } catch {
            throw RuntimeError(wrapping: error)
        }
    }
}

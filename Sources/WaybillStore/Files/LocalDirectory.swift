internal import CLinux
internal import Glibc
internal import SystemPackage
internal import WaybillPorts

/// An open folder of the machine.
///
/// Opening goes through `openat2`, which resolves beneath the folder and through no link. Calls that have no
/// such form (rename, unlink, stat) get the parent opened that way and then only one name.
final class LocalDirectory: Directory {
    let path: FilePath
    let descriptor: CInt

    init(owning descriptor: CInt, path: FilePath) {
        self.descriptor = descriptor
        self.path = path
    }

    deinit { Glibc.close(descriptor) }

    func openDirectory(_ path: FilePath, as name: FilePath) throws(FileSystemError) -> (any Directory)? {
        let flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC
        guard let opened = try openBeneath(path, flags: flags, permissions: 0, "open") else { return nil }
        return LocalDirectory(owning: opened, path: full(name))
    }

    func open(_ path: FilePath, _ access: FileAccess) throws(FileSystemError) -> (any File)? {
        // Non-blocking, so that a FIFO under an expected name cannot hang a daemon; regular files do not mind.
        let mode = access == .read ? O_RDONLY : O_RDWR
        let flags = mode | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC
        guard let opened = try openBeneath(path, flags: flags, permissions: 0, "open") else { return nil }
        return LocalFile(owning: opened, LocalPlace(self.path, path))
    }

    func create(_ path: FilePath, permissions: UInt16) throws(FileSystemError) -> any File {
        let flags = O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC
        guard let opened = try openBeneath(path, flags: flags, permissions: permissions, "create") else {
            throw FileSystemError(.notFound, "create", full(path), errno: .noSuchFileOrDirectory)
        }
        let file = LocalFile(owning: opened, LocalPlace(self.path, path))
        // The umask can only take bits away, and only bits beyond the owner's are ever at risk.
        if permissions & 0o077 != 0, fchmod(opened, mode_t(permissions)) < 0 {
            throw FileSystemError(errno: Errno(rawValue: errno), "set permissions of", full(path))
        }
        return file
    }

    func status(_ path: FilePath) throws(FileSystemError) -> FileStatus? {
        try withParent(of: path, "inspect") { (parent, name) throws(FileSystemError) in
            var status = stat()
            guard fstatat(parent, name, &status, AT_SYMLINK_NOFOLLOW) < 0 else { return FileStatus(status) }
            try self.throwUnlessMissing(path, "inspect")
            return nil
        } ?? nil
    }

    func listing(_ path: FilePath) throws(FileSystemError) -> (any DirectoryListing)? {
        let place: FilePath = path.isEmpty ? "." : path
        let flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC
        guard let opened = try openBeneath(place, flags: flags, permissions: 0, "list") else { return nil }
        return LocalDirectoryListing(owning: opened, LocalPlace(self.path, path))
    }

    func createDirectory(_ path: FilePath, permissions: UInt16) throws(FileSystemError) -> Bool {
        let isMade = try withParent(of: path, "make folder") { (parent, name) throws(FileSystemError) -> Bool in
            if mkdirat(parent, name, mode_t(permissions)) == 0 {
                guard permissions & 0o7077 != 0 else { return true }
                // Neither set-group-id nor sticky pass mkdir, and the umask takes the group's bits.
                guard fchmodat(parent, name, mode_t(permissions), 0) == 0 else {
                    throw self.failure(path, "set permissions of")
                }
                return true
            }
            let failure = self.failure(path, "make folder")
            guard failure.code == .exists else { throw failure }
            var status = stat()
            guard fstatat(parent, name, &status, AT_SYMLINK_NOFOLLOW) == 0, FileStatus(status).kind == .directory
            else { throw failure }
            return false
        }
        guard let isMade else { throw FileSystemError(.notFound, "make folder", full(path)) }
        return isMade
    }

    func rename(_ path: FilePath, to newPath: FilePath, in destination: (any Directory)?, replacing: Bool)
        throws(FileSystemError)
    {
        guard let target = (destination ?? self) as? LocalDirectory else {
            throw FileSystemError(.unsupported, "rename", full(path))
        }
        let isDone: Bool?? = try withParent(of: path, "rename") { (parent, name) throws(FileSystemError) in
            // What is renamed within a folder needs that opened once.
            let isBeside = target === self && newPath.hasFolder(of: path)
            return try target.withParent(of: newPath, "rename", openAs: isBeside ? parent : nil) {
                (newParent, newName) throws(FileSystemError) in
                if replacing {
                    guard renameat(parent, name, newParent, newName) == 0 else { throw self.failure(path, "rename") }
                } else {
                    let result = wb_rename_new(parent, name, newParent, newName)
                    if result < 0 { throw FileSystemError(errno: Errno(rawValue: -result), "rename", self.full(path)) }
                }
                return true
            }
        }
        guard case .some(.some) = isDone else { throw FileSystemError(.notFound, "rename", full(path)) }
    }

    func remove(_ path: FilePath) throws(FileSystemError) -> Bool {
        try unlink(path, flags: 0, "remove")
    }

    func removeDirectory(_ path: FilePath) throws(FileSystemError) -> Bool {
        try unlink(path, flags: AT_REMOVEDIR, "remove folder")
    }

    func synchronize(_ path: FilePath) throws(FileSystemError) {
        if path.isEmpty {
            guard fsync(descriptor) == 0 else { throw failure(path, "sync") }
            return
        }
        let flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC
        guard let opened = try openBeneath(path, flags: flags, permissions: 0, "sync") else {
            throw FileSystemError(.notFound, "sync", full(path))
        }
        defer { Glibc.close(opened) }
        guard fsync(opened) == 0 else { throw failure(path, "sync") }
    }

    func setAccess(_ path: FilePath, group: UInt32, permissions: UInt16) throws(FileSystemError) -> Bool {
        let isSet = try withParent(of: path, "set permissions of") { (parent, name) throws(FileSystemError) -> Bool in
            var status = stat()
            guard fstatat(parent, name, &status, AT_SYMLINK_NOFOLLOW) == 0 else {
                try self.throwUnlessMissing(path, "inspect")
                return false
            }
            if FileStatus(status).kind == .link {
                throw FileSystemError(.isLink, "set permissions of", self.full(path))
            }
            // The group first: changing it takes away set-group-id.
            guard fchownat(parent, name, uid_t.max, group, AT_SYMLINK_NOFOLLOW) == 0,
                fchmodat(parent, name, mode_t(permissions), 0) == 0
            else { throw self.failure(path, "set permissions of") }
            return true
        }
        return isSet ?? false
    }
    func nextMark() -> String { TemporaryName.processMark() }

    func fileSystemType() throws(FileSystemError) -> FileSystemType {
        var magic: UInt64 = 0
        let result = wb_file_system_type(descriptor, &magic)
        if result < 0 { throw FileSystemError(errno: Errno(rawValue: -result), "inspect the file system of", path) }
        return KnownFileSystems.type(magic: magic)
    }
}

extension LocalDirectory {
    private func full(_ path: FilePath) -> FilePath { self.path.appending(path.components) }

    /// What `errno` says about `path`.
    private func failure(_ path: FilePath, _ operation: String) -> FileSystemError {
        FileSystemError(errno: Errno(rawValue: errno), operation, full(path))
    }

    private func throwUnlessMissing(_ path: FilePath, _ operation: String) throws(FileSystemError) {
        let failure = failure(path, operation)
        if failure.code != .notFound { throw failure }
    }

    private func unlink(_ path: FilePath, flags: CInt, _ operation: String) throws(FileSystemError) -> Bool {
        try withParent(of: path, operation) { (parent, name) throws(FileSystemError) -> Bool in
            if unlinkat(parent, name, flags) == 0 { return true }
            try self.throwUnlessMissing(path, operation)
            return false
        } ?? false
    }

    /// The descriptor, or nil if something on the way is missing.
    private func openBeneath(
        _ path: FilePath, flags: CInt, permissions: UInt16, _ operation: String
    ) throws(FileSystemError) -> CInt? {
        // Nil for what would leave the folder: the kernel is not asked then.
        let opened = path.withPlatformString { text -> CInt? in
            RelativeName(text) == nil ? nil : openBeneath(text, flags, permissions)
        }
        guard let opened else { throw FileSystemError(.escapes, operation, path) }
        return try check(opened: opened, path, operation)
    }

    /// The descriptor, or what went wrong as a negative number.
    private func openBeneath(_ path: UnsafePointer<CChar>, _ flags: CInt, _ permissions: UInt16 = 0) -> CInt {
        while true {
            let opened = wb_open_beneath(descriptor, path, flags, mode_t(permissions))
            // EAGAIN: the kernel could not rule out a race with a rename, and asks to try again.
            guard opened == -EINTR || opened == -EAGAIN else { return opened }
        }
    }

    private func check(
        opened: CInt, _ path: FilePath, _ operation: String
    ) throws(FileSystemError) -> CInt? {
        if opened >= 0 { return opened }
        if opened == -ENOENT { return nil }
        throw FileSystemError(errno: Errno(rawValue: -opened), operation, full(path))
    }

    /// Calls `body` with the folder a path's last name is in; nil if that folder is missing.
    ///
    /// - Parameter openAs: that folder, where the caller has it open.
    private func withParent<Result>(
        of path: FilePath, _ operation: String, openAs opened: CInt? = nil,
        _ body: (CInt, UnsafePointer<CChar>) throws(FileSystemError) -> Result
    ) throws(FileSystemError) -> Result? {
        // Errors travel beside the closure, which can only rethrow any error.
        var failure: FileSystemError?
        let result: Result? = path.withPlatformString { text in
            do throws(FileSystemError) {
                guard let name = RelativeName(text) else { throw FileSystemError(.escapes, operation, path) }
                let last = text + name.start
                if let parent = opened ?? (name.start == 0 ? descriptor : nil) { return try body(parent, last) }
                let flags = wb_o_path | O_DIRECTORY | O_CLOEXEC
                let parent = name.withFolder(of: text) { openBeneath($0, flags) }
                guard let parent = try check(opened: parent, path, operation) else { return nil }
                defer { Glibc.close(parent) }
                return try body(parent, last)
            } catch {
                failure = error
                return nil
            }
        }
        if let failure { throw failure }
        return result
    }
}

/// A path that stays beneath a folder, found in one pass over its bytes: a component at a time costs as much as the call
/// that it is for.
private struct RelativeName {
    /// Where the last name begins; what is before it is the folder, with the slash.
    let start: Int

    /// Nil for what is absolute, empty or goes up.
    init?(_ text: UnsafePointer<CChar>) {
        let (slash, dot) = (CChar(bitPattern: UInt8(ascii: "/")), CChar(bitPattern: UInt8(ascii: ".")))
        guard text[0] != 0, text[0] != slash else { return nil }
        var (start, end) = (0, 0)
        while true {
            if text[end] == 0 || text[end] == slash {
                if end - start == 2, text[start] == dot, text[start + 1] == dot { return nil }
                if text[end] == 0 { break }
                start = end + 1
            }
            end += 1
        }
        self.start = start
    }

    /// Calls `body` with the folder of the path that this was found in.
    func withFolder<Result>(
        of text: UnsafePointer<CChar>, _ body: (UnsafePointer<CChar>) -> Result
    ) -> Result {
        withUnsafeTemporaryAllocation(of: CChar.self, capacity: start) { copy in
            for index in 0..<start - 1 { copy[index] = text[index] }
            copy[start - 1] = 0
            return body(UnsafePointer(copy.baseAddress ?? UnsafeMutablePointer(mutating: text)))
        }
    }
}

extension FilePath {
    /// Whether the last name of this path is in the same folder, by the letters, as that of another one.
    fileprivate func hasFolder(of other: FilePath) -> Bool {
        withPlatformString { text in
            other.withPlatformString { otherText in
                guard let name = RelativeName(text), let other = RelativeName(otherText) else { return false }
                return name.start == other.start && memcmp(text, otherText, name.start) == 0
            }
        }
    }
}

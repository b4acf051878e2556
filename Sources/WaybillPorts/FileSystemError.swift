package import SystemPackage

/// Why an operation on files was refused or failed, on which path, and what the kernel said.
///
/// A missing file is no error where an operation answers nil or false for it.
package struct FileSystemError: Error, Hashable, Sendable {
    /// What a caller may want to tell apart; everything else is `.io`.
    package enum Code: String, Hashable, Sendable {
        /// A file or folder on the way, or the thing itself where it has to exist, is missing.
        case notFound
        case exists
        /// The disk or the owner's quota is full.
        case noSpace
        /// More bytes than the caller is willing to take, or than a file may have.
        case tooLarge
        /// A symbolic link stands where none is followed.
        case isLink
        /// A folder where a file is expected, or the reverse, or a device, FIFO or socket.
        case wrongKind
        /// The path leaves the folder it is beneath: absolute, or with `..`.
        case escapes
        case denied
        case readOnly
        case notEmpty
        case nameTooLong
        /// The process or the system has no free descriptor.
        case tooManyOpenFiles
        /// A signal came first; nothing was done, and the operation may be repeated.
        case interrupted
        /// Another process holds the lock.
        case locked
        /// The handle was closed.
        case closed
        case unsupported
        case io
    }

    package var code: Code
    /// The operation in a word or two, for people: "write", "sync", "rename".
    package var operation: String
    /// The path as far as it is known; names that are not UTF-8 are repaired for display only.
    package var path: FilePath
    /// What the kernel said; nil where the refusal is our own.
    package var errno: Errno?
    /// Who holds the lock, for `.locked`.
    package var owner: LockOwner?

    package init(
        _ code: Code, _ operation: String, _ path: FilePath, errno: Errno? = nil, owner: LockOwner? = nil
    ) {
        self.code = code
        self.operation = operation
        self.path = path
        self.errno = errno
        self.owner = owner
    }

    /// Sorts what the kernel said into a code.
    package init(errno: Errno, _ operation: String, _ path: FilePath) {
        let code: Code =
            switch errno {
            case .noSuchFileOrDirectory: .notFound
            case .fileExists: .exists
            case .noSpace, .diskQuotaExceeded: .noSpace
            case .fileTooLarge: .tooLarge
            case .tooManySymbolicLinkLevels: .isLink
            // ENXIO is what opening a socket, or a FIFO nobody reads, comes to.
            case .isDirectory, .notDirectory, .noSuchAddressOrDevice: .wrongKind
            // EXDEV is how openat2 says that a path leaves its folder.
            case .improperLink: .escapes
            case .permissionDenied, .notPermitted: .denied
            case .readOnlyFileSystem: .readOnly
            case .directoryNotEmpty: .notEmpty
            case .fileNameTooLong: .nameTooLong
            case .tooManyOpenFiles, .tooManyOpenFilesInSystem: .tooManyOpenFiles
            case .interrupted: .interrupted
            case .badFileDescriptor: .closed
            case .noFunction, .notSupported: .unsupported
            default: .io
            }
        self.init(code, operation, path, errno: errno)
    }
}

extension FileSystemError: CustomStringConvertible {
    /// One sentence: what could not be done, where, and why.
    package var description: String {
        var text = "cannot \(operation) \(path): "
        text += errno?.description ?? explanation
        if let owner { text += ", held by \(owner)" }
        return text
    }

    private var explanation: String {
        switch code {
        case .notFound: "it does not exist"
        case .exists: "it exists already"
        case .noSpace: "no space left"
        case .tooLarge: "it is larger than allowed"
        case .isLink: "it is a symbolic link"
        case .wrongKind: "it is of another kind"
        case .escapes: "the path leaves its folder"
        case .denied: "permission denied"
        case .readOnly: "the file system is read-only"
        case .notEmpty: "the folder is not empty"
        case .nameTooLong: "the name is too long"
        case .tooManyOpenFiles: "too many open files"
        case .interrupted: "interrupted"
        case .locked: "it is locked"
        case .closed: "the handle is closed"
        case .unsupported: "not supported here"
        case .io: "input/output error"
        }
    }
}

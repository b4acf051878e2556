import Glibc
import SystemPackage
import WaybillPorts

/// A descriptor that is closed with its owner.
final class OwnedDescriptor {
    private(set) var number: Int32

    /// - Throws: What `errno` says if the number is negative.
    init(_ number: Int32, _ what: String) throws(LaunchError) {
        guard number >= 0 else { throw LaunchError.system(errno, what) }
        self.number = number
    }

    /// Gives the descriptor away.
    func take() -> Int32 {
        defer { number = -1 }
        return number
    }

    func close() {
        if number >= 0 { Glibc.close(number) }
        number = -1
    }

    deinit { close() }
}

extension LaunchError {
    /// A failure of the system, told apart by whether waiting may help.
    static func system(_ number: Int32, _ what: String) -> LaunchError {
        let isShort = [EAGAIN, ENOMEM, EMFILE, ENFILE, ENOSPC, EDQUOT].contains(number)
        let cause = Errno(rawValue: number)
        return LaunchError(
            code: isShort ? .noResources : .system, message: "\(what): \(cause.description)", cause: cause)
    }

    /// A file of an attempt that cannot be made.
    static func file(_ number: Int32, _ what: String, _ path: FilePath) -> LaunchError {
        let cause = Errno(rawValue: number)
        return LaunchError(
            code: [EMFILE, ENFILE, ENOMEM, ENOSPC, EDQUOT].contains(number) ? .noResources : .log,
            message: "cannot create the \(what) \(path): \(cause.description)", path: path, cause: cause)
    }
}

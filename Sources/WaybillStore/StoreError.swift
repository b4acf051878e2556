package import WaybillPorts

/// Why a store could not do what it was asked to.
package struct StoreError: Error, Hashable, Sendable {
    package enum Code: String, Hashable, Sendable {
        /// The run, its ledger, or what was asked for does not exist.
        case missing
        /// The id or name is taken.
        case exists
        /// Somebody else is at it; `cause?.owner` names who. Try again later.
        case locked
        /// What was read is not what was written: `seq` is the first entry that is wrong.
        case damaged
        /// A file was changed or replaced by somebody who does not hold its lock.
        case changedBehind
        /// The disk did not take it for good. Nothing of it counts; the store has gone back to its last durable
        /// state, and the call may be repeated.
        case notDurable
        /// The disk or quota is full. Nothing of it counts; the call may be repeated once there is room.
        case noSpace
        /// More bytes than the store is willing to take.
        case tooLarge
        /// The bytes do not have the digest they are known by.
        case mismatch
        /// The file system does not offer what the promises need.
        case unsuitable
        /// Any other trouble with files.
        case files
    }

    package var code: Code
    /// What, where, and what to do, for people.
    package var message: String
    /// The entry in question, for `.damaged`.
    package var seq: Int?
    package var cause: FileSystemError?

    package init(_ code: Code, _ message: String, seq: Int? = nil, cause: FileSystemError? = nil) {
        self.code = code
        self.message = message
        self.seq = seq
        self.cause = cause
    }

    /// Keeps the meaning of what the port said.
    package init(_ cause: FileSystemError) {
        let code: Code =
            switch cause.code {
            case .locked: .locked
            case .noSpace: .noSpace
            case .tooLarge: .tooLarge
            case .exists: .exists
            case .notFound: .missing
            default: .files
            }
        self.init(code, cause.description, cause: cause)
    }
}

extension StoreError: CustomStringConvertible {
    package var description: String { message }
}

/// Runs operations on files and speaks of their failures in the store's terms.
func storing<Result>(_ body: () throws(FileSystemError) -> Result) throws(StoreError) -> Result {
    do throws(FileSystemError) {
        return try body()
    } catch {
        throw StoreError(error)
    }
}

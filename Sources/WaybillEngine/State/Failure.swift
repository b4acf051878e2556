package import WaybillCore

/// The error of a step or a run, as `run.json` and `TASK_END` show it:
/// `{"step":"build","kind":"exit","message":"...","exitCode":2}`.
package struct Failure: Sendable, Hashable {
    package var step: String?
    package var kind: ErrorKind
    package var message: String
    package var exitCode: Int?
    /// The signal's number, for kind `signal`.
    package var signal: Int?
    /// The HTTP status, where a response was not the expected one.
    package var status: Int?

    package init(
        _ kind: ErrorKind, _ message: String, step: String? = nil, exitCode: Int? = nil, signal: Int? = nil,
        status: Int? = nil
    ) {
        self.step = step
        self.kind = kind
        self.message = message
        self.exitCode = exitCode
        self.signal = signal
        self.status = status
    }
}

extension Failure {
    package var value: Value {
        var object: Object = ["kind": .string(kind.rawValue), "message": .string(message)]
        if let step { object["step"] = .string(step) }
        if let exitCode { object["exitCode"] = .int(Int64(exitCode)) }
        if let signal { object["signal"] = .int(Int64(signal)) }
        if let status { object["status"] = .int(Int64(status)) }
        return .object(object)
    }

    /// Nil where the value is no error; an unknown kind, from a newer version, reads as `internal`.
    package init?(_ value: Value?) {
        guard let object = value?.objectValue, let message = object["message"]?.stringValue else { return nil }
        self.init(
            ErrorKind(rawValue: object["kind"]?.stringValue ?? "") ?? .internal, message,
            step: object["step"]?.stringValue,
            exitCode: object["exitCode"]?.intValue.map(Int.init),
            signal: object["signal"]?.intValue.map(Int.init),
            status: object["status"]?.intValue.map(Int.init))
    }
}

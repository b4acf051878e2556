package import WaybillCore

/// An exit file that does not say what one says.
package struct ExitRecordError: Error, Hashable, Sendable {
    package enum Code: String, Sendable {
        /// Written by a newer version: it is left alone.
        case newerFormat
        case malformed
    }

    package var code: Code
    package var message: String

    package init(code: Code, message: String) {
        self.code = code
        self.message = message
    }
}

extension ProcessOutcome {
    /// The format of `exit.json` that this version writes.
    package static let recordFormat: Int64 = 1

    /// What `exit.json` holds.
    ///
    /// `{"format":1,"exitCode":0,"signal":null,"coreDumped":false,"error":null,"timedOut":false,"stopped":false,
    /// "startedAt":"...","endedAt":"...","truncated":{"stdout":false,"stderr":false},"leftBehind":0,"stillRunning":0,
    /// "usage":{"userSeconds":0.001,"systemSeconds":0.002,"maxResidentBytes":1536000}}`; a program that failed to start
    /// has `"error":{"errno":2,"message":"..."}` and no usage.
    package var record: Value {
        var members: [String: Value] = [
            "format": .int(Self.recordFormat), "exitCode": .null, "signal": .null, "coreDumped": .bool(false),
            "error": .null, "timedOut": .bool(stop == .timeout), "stopped": .bool(stop == .request),
            "startedAt": .string(startedAt.description), "endedAt": .string(endedAt.description),
            "truncated": ["stdout": .bool(stdoutTruncated), "stderr": .bool(stderrTruncated)],
            "leftBehind": .int(Int64(leftBehind)), "stillRunning": .int(Int64(stillRunning)), "usage": .null,
        ]
        switch end {
        case .exited(let code): members["exitCode"] = .int(Int64(code))
        case .signalled(let signal, let coreDumped):
            members["signal"] = .int(Int64(signal))
            members["coreDumped"] = .bool(coreDumped)
        case .failedToStart(let errno, let message):
            members["error"] = ["errno": .int(Int64(errno)), "message": .string(message)]
        }
        if let usage {
            members["usage"] = [
                "userSeconds": .double(Double(usage.user.microseconds) / 1e6),
                "systemSeconds": .double(Double(usage.system.microseconds) / 1e6),
                "maxResidentBytes": .int(usage.maxResidentBytes),
            ]
        }
        return .object(Object(members.map { ($0.key, $0.value) }))
    }

    /// Reads what `record` wrote.
    package init(record: Value) throws(ExitRecordError) {
        guard let format = record["format"]?.intValue, format >= 1 else { throw .malformed("format") }
        guard format <= Self.recordFormat else {
            throw ExitRecordError(code: .newerFormat, message: "exit file has format \(format), this version reads 1")
        }
        self.init(
            end: try Self.end(of: record),
            startedAt: try Self.time("startedAt", of: record), endedAt: try Self.time("endedAt", of: record))
        if record["timedOut"]?.boolValue == true {
            stop = .timeout
        } else if record["stopped"]?.boolValue == true {
            stop = .request
        }
        stdoutTruncated = record["truncated"]?["stdout"]?.boolValue ?? false
        stderrTruncated = record["truncated"]?["stderr"]?.boolValue ?? false
        leftBehind = Int(record["leftBehind"]?.intValue ?? 0)
        stillRunning = Int(record["stillRunning"]?.intValue ?? 0)
        usage = Self.usage(of: record)
    }

    private static func end(of record: Value) throws(ExitRecordError) -> End {
        if let code = record["exitCode"]?.intValue.flatMap({ Int32(exactly: $0) }) { return .exited(code: code) }
        if let signal = record["signal"]?.intValue.flatMap({ Int32(exactly: $0) }) {
            return .signalled(signal: signal, coreDumped: record["coreDumped"]?.boolValue ?? false)
        }
        guard let errno = record["error"]?["errno"]?.intValue.flatMap({ Int32(exactly: $0) }),
            let message = record["error"]?["message"]?.stringValue
        else { throw .malformed("exitCode, signal or error") }
        return .failedToStart(errno: errno, message: message)
    }

    private static func time(_ member: String, of record: Value) throws(ExitRecordError) -> Timestamp {
        guard let text = record[member]?.stringValue, let time = Timestamp(rfc3339: text) else {
            throw .malformed(member)
        }
        return time
    }

    private static func usage(of record: Value) -> Usage? {
        guard let usage = record["usage"], let user = usage["userSeconds"]?.numberValue,
            let system = usage["systemSeconds"]?.numberValue, let bytes = usage["maxResidentBytes"]?.intValue,
            // Rounded, because tenths of a second have no exact binary form.
            let userMicroseconds = Int64(exactly: (user * 1e6).rounded()),
            let systemMicroseconds = Int64(exactly: (system * 1e6).rounded())
        else { return nil }
        return Usage(
            user: .microseconds(userMicroseconds), system: .microseconds(systemMicroseconds), maxResidentBytes: bytes)
    }
}

extension ExitRecordError {
    fileprivate static func malformed(_ member: String) -> ExitRecordError {
        ExitRecordError(code: .malformed, message: "exit file has no valid \(member)")
    }
}

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
    /// The newest format of `exit.json` that this version reads.
    package static let recordFormat: Int64 = 1

    /// Reads what `exit.json` holds.
    ///
    /// `{"format":1,"error":null,"exitCode":0,"signal":null,"coreDumped":false,"timedOut":false,"stopped":false,"limit":null,
    /// "startedAt":"...","endedAt":"...","truncated":{"stdout":false,"stderr":false},"droppedBytes":{"stdout":0,"stderr":0},
    /// "masked":{"stdout":0,"stderr":0},"leftBehind":0,"stillRunning":0,
    /// "usage":{"userSeconds":0.001,"systemSeconds":0.002,"maxResidentBytes":1536000}}`; a program that failed to start
    /// has `"error":{"errno":2,"message":"..."}` and no usage.
    ///
    /// - Throws: ``ExitRecordError``; a member that a later version added is passed over.
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
        limit = record["limit"]?.stringValue.flatMap(ProcessLimits.Kind.init)
        stdoutTruncated = record["truncated"]?["stdout"]?.boolValue ?? false
        stderrTruncated = record["truncated"]?["stderr"]?.boolValue ?? false
        stdoutDroppedBytes = record["droppedBytes"]?["stdout"]?.intValue ?? 0
        stderrDroppedBytes = record["droppedBytes"]?["stderr"]?.intValue ?? 0
        stdoutMasks = record["masked"]?["stdout"]?.intValue ?? 0
        stderrMasks = record["masked"]?["stderr"]?.intValue ?? 0
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

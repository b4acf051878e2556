import WaybillCore

/// Times and durations of the language definition.
enum TimeFunctions {
    static let all: [Function] =
        [
            Function(
                "timestamp", ["(string) -> timestamp", "(int) -> timestamp", "(timestamp) -> timestamp"], timestamp),
            Function("duration", ["(string) -> duration", "(duration) -> duration"], duration),
        ] + accessors

    private static func timestamp(_ a: Arguments, _ evaluator: inout Evaluator) throws(ExpressionError) -> CELValue {
        switch a[0] {
        case .timestamp: return a[0]
        case .int(let seconds):
            if let time = CELTimestamp(seconds: seconds) { return .timestamp(time) }
            throw a.failure(.overflow, "times go from the year 1 to the year 9999")
        default:
            if let time = CELTimestamp(rfc3339: try a.string(0)) { return .timestamp(time) }
            throw a.failure(.conversion, "a time is written as in 2026-11-20T10:15:00Z, from the year 1 to 9999")
        }
    }

    private static func duration(_ a: Arguments, _ evaluator: inout Evaluator) throws(ExpressionError) -> CELValue {
        if case .duration = a[0] { return a[0] }
        if let duration = CELDuration(text: try a.string(0)) { return .duration(duration) }
        throw a.failure(.conversion, "a duration is written as in 1h30m, 10s or 250ms, up to 292 years")
    }

    // MARK: Parts

    private static let ofTimes = ["timestamp.() -> int", "timestamp.(string) -> int"]
    private static let ofBoth = ofTimes + ["duration.() -> int"]

    private static let accessors: [Function] = [
        part("getFullYear") { $0.date.year },
        part("getMonth") { $0.date.month - 1 },
        part("getDate") { $0.date.day },
        part("getDayOfMonth") { $0.date.day - 1 },
        part("getDayOfWeek") { $0.weekday },
        part("getDayOfYear") { $0.dayOfYear },
        part("getHours", ofDuration: { $0 / 3_600_000_000_000 }) { $0.hour },
        part("getMinutes", ofDuration: { $0 / 60_000_000_000 }) { $0.minute },
        part("getSeconds", ofDuration: { $0 / 1_000_000_000 }) { $0.second % 60 },
        part("getMilliseconds", ofDuration: { $0 / 1_000_000 % 1_000 }) { $0.nanoseconds / 1_000_000 },
    ]

    /// A part of a time, and where it has one, of a duration in nanoseconds.
    private static func part(
        _ name: String, ofDuration: (@Sendable (Int64) -> Int64)? = nil, ofTime: @escaping @Sendable (CivilTime) -> Int
    ) -> Function {
        Function(name, ofDuration == nil ? ofTimes : ofBoth) {
            (a: Arguments, evaluator: inout Evaluator) throws(ExpressionError) -> CELValue in
            if case .duration(let duration) = a[0], let ofDuration { return .int(ofDuration(duration.nanoseconds)) }
            let time = try a.timestamp(0)
            let zone = a.count > 1 ? try a.string(1) : "UTC"
            return .int(Int64(ofTime(try civil(time, zone: zone, a, &evaluator))))
        }
    }

    private static let zoneCost = 200

    /// The time as the clocks of a zone show it: a name such as `Europe/Paris`, or an offset such as `+02:00`.
    static func civil(
        _ time: CELTimestamp, zone: String, _ a: Arguments, _ evaluator: inout Evaluator
    ) throws(ExpressionError) -> CivilTime {
        if zone == "UTC" { return time.civil(offsetSeconds: 0) }
        if let offset = fixedOffset(zone) { return time.civil(offsetSeconds: offset) }
        // A zone's rules may be read from its file each time.
        try evaluator.charge(zoneCost)
        guard zone.utf8.count <= 64, let offset = evaluator.scope.zones.offsetSeconds(zone: zone, at: time) else {
            let lack = evaluator.scope.zones.lack.map { ": \($0)" } ?? ""
            throw a.failure(.argument, "there is no time zone \(quoted(String(zone.prefix(64))))\(lack)")
        }
        return time.civil(offsetSeconds: offset)
    }

    /// `+02:00`, `-02:30`, and as the language allows, `02:00`.
    private static func fixedOffset(_ zone: String) -> Int? {
        guard let first = zone.utf8.first else { return nil }
        var reader = DigitReader(first.isDigit ? "+" + zone : zone)
        guard first.isDigit || first == UInt8(ascii: "+") || first == UInt8(ascii: "-"),
            let minutes = reader.offsetMinutes(), reader.isAtEnd
        else { return nil }
        return minutes * 60
    }
}

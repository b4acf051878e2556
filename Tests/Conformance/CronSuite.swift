import Foundation
import WaybillCore
import WaybillExpressions

/// `cron`: what must be refused, when schedules fire next, and where the data is disputed the reading by the star.
/// Skipped are schedules with seconds, `?` and zones inside the text, which are not offered.
func runCronSuite(lines: [String], path: String, report: Report) throws {
    let zones = ZoneFiles { name in
        FileManager.default.contents(atPath: "/usr/share/zoneinfo/\(name)").map { [UInt8]($0) }
    }
    for line in lines {
        try CronCase(json: try JSON.parse(line), zones: zones).run(report)
    }
}

private struct CronCase {
    let json: Value
    let zones: ZoneFiles

    func run(_ report: Report) throws {
        guard let text = (json["expr"] ?? json["spec"])?.stringValue else { throw missing("expr") }
        let id = json["id"]?.stringValue ?? text
        if json["valid"] == .bool(false) {
            let schedule = try? CronSchedule(text)
            return report.check(id, schedule == nil, expected: "a refusal", actual: "a schedule")
        }
        let isOffered = json["six_fields"] != .bool(true) && json["seconds_field"] != .bool(true) && !text.contains("?")
        guard isOffered else { return report.skip() }
        let schedule: CronSchedule
        do {
            schedule = try CronSchedule(text)
        } catch {
            return report.fail(id, expected: "a schedule", actual: "\(error)")
        }
        guard let zone = json["timezone"]?.stringValue.flatMap({ zones.file(zone: $0) }),
            let start = (json["start"] ?? json["time"])?.stringValue.flatMap({ Timestamp(rfc3339: $0) })
        else { throw missing("timezone or start") }
        if let fires = json["fires_at_time"] {
            let next = schedule.next(after: start - .seconds(1), in: zone)
            return report.check(id, fires == .bool(next == start), expected: "\(fires)", actual: "\(next ?? .latest)")
        }
        let readings = try readings(text)
        let count = (readings.map(\.count).max() ?? 0) + (json["no_match"] == .bool(true) ? 1 : 0)
        let actual = times(count, of: schedule, after: start, in: zone)
        report.check(id, readings.contains(actual), expected: "\(readings)", actual: "\(actual)")
    }

    private func times(
        _ count: Int, of schedule: CronSchedule, after start: Timestamp, in zone: ZoneFile
    ) -> [Timestamp] {
        var times: [Timestamp] = []
        while times.count < count, let next = schedule.next(after: times.last ?? start, in: zone) { times.append(next) }
        return times
    }

    /// The right answers: several where they hang on the release of the time-zone data.
    private func readings(_ text: String) throws -> [[Timestamp]] {
        let fields = text.split(separator: " ")
        let isFixed = fields.prefix(2).allSatisfy { !$0.hasPrefix("*") }
        let names =
            json["reason"] == nil
            ? ["next5", "next", "next5_tzdata_2025b", "next5_tzdata_2026f"] : [isFixed ? "special" : "normal"]
        let readings = try names.compactMap { json[$0] }.map { value in
            try (value.listValue ?? [value]).map { time in
                guard let time = time.stringValue.flatMap({ Timestamp(rfc3339: $0) }) else { throw missing("a time") }
                return time
            }
        }
        guard !readings.isEmpty else { throw missing("next") }
        return readings
    }

    private func missing(_ what: String) -> SuiteError { SuiteError(message: "a case lacks \(what)") }
}

import WaybillCore
import WaybillExpressions

/// A cron expression; behind a newline the rule of a time zone, `CET-1CEST,M3.5.0,M10.5.0/3`; behind another the days
/// since 1970 to start from.
func fuzzCron(_ bytes: [UInt8]) {
    let (text, rest) = bytes.parts(at: UInt8(ascii: "\n"))
    let (rule, days) = rest.parts(at: UInt8(ascii: "\n"))
    let schedule: CronSchedule
    do throws(CronSchedule.Problem) {
        schedule = try CronSchedule(text.text)
    } catch {
        return require(!error.message.isEmpty, "a refusal says why")
    }
    let zone = zone(rule) ?? ZoneFile(offsetSeconds: 0)
    var start = Timestamp(microseconds: (Int64(days.text) ?? 20_000).multipliedReportingOverflow(by: 86_400_000_000).0)
    for _ in 0..<20 {
        guard let next = schedule.next(after: start, in: zone) else { return }
        require(next > start, "the next time is later")
        require(next.microseconds % 1_000_000 == 0, "times are whole seconds")
        let middle = Timestamp(microseconds: start.microseconds + (next.microseconds - start.microseconds) / 2)
        require(schedule.next(after: middle, in: zone) == next, "between two times there is no other")
        require(schedule.next(after: next - .microseconds(1), in: zone) == next, "a time is next until it is there")
        start = next
    }
}

/// A compiled file with one rule, for ever.
private func zone(_ rule: [UInt8]) -> ZoneFile? {
    let counts = [UInt8](repeating: 0, count: 19) + [1, 0, 0, 0, 4]
    let block = Array("TZif2".utf8) + [UInt8](repeating: 0, count: 15) + counts
    let type = [UInt8](repeating: 0, count: 6) + Array("AAA\0".utf8)
    return ZoneFile(tzif: block + type + block + type + [0x0A] + rule + [0x0A])
}

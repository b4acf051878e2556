import Testing
import WaybillCore

@testable import WaybillExpressions

@Suite("Cron schedules")
struct CronScheduleTests {
    /// Paris without its history: CET, and CEST between the last Sundays of March and October.
    private static let paris = ZoneFile(rule: "CET-1CEST,M3.5.0,M10.5.0/3")
    private static let utc = ZoneFile(offsetSeconds: 0)

    /// The next times after a start, as UTC without microseconds.
    private func times(_ count: Int, _ text: String, after start: String, in zone: ZoneFile? = utc) throws -> [String] {
        let schedule = try CronSchedule(text)
        let zone = try #require(zone)
        var last = try #require(Timestamp(rfc3339: start))
        var times: [String] = []
        for _ in 0..<count {
            guard let next = schedule.next(after: last, in: zone) else { return times + ["never"] }
            times.append(String(next.description.prefix(16)))
            last = next
        }
        return times
    }

    private func problem(_ text: String) -> String? {
        do throws(CronSchedule.Problem) {
            _ = try CronSchedule(text)
            return nil
        } catch {
            return error.message
        }
    }

    @Test("numbers, ranges, lists, steps and names are read in any case")
    func fields() throws {
        #expect(
            try times(3, "20-40/10,5 8 * * *", after: "2026-01-01T08:05:00Z")
                == ["2026-01-01T08:20", "2026-01-01T08:30", "2026-01-01T08:40"])
        #expect(
            try times(2, "0 0 1 jan,JUL *", after: "2026-01-02T00:00:00Z") == ["2026-07-01T00:00", "2027-01-01T00:00"])
        #expect(
            try times(2, "0\t9  * * Mon-tue ", after: "2026-11-20T10:00:00Z") == [
                "2026-11-23T09:00", "2026-11-24T09:00",
            ])
        #expect(
            try times(2, "5/25 1 * * *", after: "2026-01-01T01:06:00Z") == ["2026-01-01T01:30", "2026-01-01T01:55"])
        for sunday in ["0", "7", "SUN", "0L,1#1", "6-7"] {
            #expect(try times(1, "0 0 * * \(sunday)", after: "2026-11-28T00:00:00Z") == ["2026-11-29T00:00"])
        }
    }

    @Test("days combine by either, and by both where one field begins with a star")
    func days() throws {
        let start = "2026-11-01T00:00:00Z"
        #expect(
            try times(3, "0 0 13 * 5", after: start) == ["2026-11-06T00:00", "2026-11-13T00:00", "2026-11-20T00:00"])
        #expect(try times(2, "0 0 */13 * 5", after: start) == ["2026-11-27T00:00", "2027-01-01T00:00"])
        #expect(
            try times(3, "0 0 L 11,12,2 *", after: start) == [
                "2026-11-30T00:00", "2026-12-31T00:00", "2027-02-28T00:00",
            ])
        #expect(try times(2, "0 0 lw 1,2 *", after: start) == ["2027-01-29T00:00", "2027-02-26T00:00"])
        #expect(try times(2, "0 0 * * 5L", after: start) == ["2026-11-27T00:00", "2026-12-25T00:00"])
        #expect(try times(2, "0 0 * * MON#5", after: start) == ["2026-11-30T00:00", "2027-03-29T00:00"])
    }

    @Test("a start counts to the microsecond, and the next time is always later")
    func strictlyLater() throws {
        #expect(try times(1, "0 6 * * *", after: "2026-01-01T05:59:59.999999Z") == ["2026-01-01T06:00"])
        #expect(try times(1, "0 6 * * *", after: "2026-01-01T06:00:00Z") == ["2026-01-02T06:00"])
        #expect(try times(1, "* * * * *", after: "1969-12-31T23:58:59.5Z") == ["1969-12-31T23:59"])
        #expect(try times(1, "* * * * *", after: "1969-12-31T23:59:00.5Z") == ["1970-01-01T00:00"])
    }

    @Test("a fixed time that the clock skips fires once after the gap; others do not")
    func gap() throws {
        // On 2027-03-28 the clock goes from 02:00 to 03:00, at 01:00 UTC.
        let start = "2027-03-27T12:00:00Z"
        let after = Self.paris
        #expect(try times(2, "30 2 * * *", after: start, in: after) == ["2027-03-28T01:00", "2027-03-29T00:30"])
        #expect(try times(2, "10,40 2 * * *", after: start, in: after) == ["2027-03-28T01:00", "2027-03-29T00:10"])
        #expect(try times(2, "0 2,3 * * *", after: start, in: after) == ["2027-03-28T01:00", "2027-03-29T00:00"])
        #expect(try times(1, "30 */2 28 * *", after: "2027-03-28T00:00:00Z", in: after) == ["2027-03-28T02:30"])
        #expect(try times(1, "*/30 2 * * *", after: start, in: after) == ["2027-03-29T00:00"])
    }

    @Test("a fixed time that the clock shows twice fires the first time; others fire twice")
    func overlap() throws {
        // On 2027-10-31 the clock goes from 03:00 to 02:00, at 01:00 UTC.
        let start = "2027-10-30T12:00:00Z"
        let after = Self.paris
        #expect(try times(2, "30 2 * * *", after: start, in: after) == ["2027-10-31T00:30", "2027-11-01T01:30"])
        #expect(try times(1, "30 2 * * *", after: "2027-10-31T01:10:00Z", in: after) == ["2027-11-01T01:30"])
        #expect(
            try times(3, "*/30 2 * * *", after: "2027-10-31T00:00:00Z", in: after)
                == ["2027-10-31T00:30", "2027-10-31T01:00", "2027-10-31T01:30"])
    }

    @Test("a change of three hours and more is a new clock: nothing is made up for")
    func longChange() throws {
        let zone = ZoneFile(rule: "AAA0BBB-4,M3.5.0/2,M10.5.0/6")
        #expect(try times(1, "30 3 * * *", after: "2027-03-27T12:00:00Z", in: zone) == ["2027-03-28T23:30"])
        #expect(
            try times(2, "30 3 * * *", after: "2027-10-30T12:00:00Z", in: zone)
                == ["2027-10-30T23:30", "2027-10-31T03:30"])
    }

    @Test("a day the calendar has seldom is found, and one it never has ends the search")
    func rareDays() throws {
        #expect(try times(2, "0 0 29 2 *", after: "2096-03-01T00:00:00Z") == ["2104-02-29T00:00", "2108-02-29T00:00"])
        #expect(try times(1, "0 0 29 2 */7", after: "2088-03-01T00:00:00Z") == ["2128-02-29T00:00"])
        #expect(try times(1, "1 1 */100 * MON#4", after: "2026-01-01T00:00:00Z") == ["never"])
        #expect(try times(1, "0 0 1 1 *", after: "9999-06-01T00:00:00Z") == ["never"])
        #expect(try times(1, "* * * * *", after: "9999-12-31T23:59:00Z") == ["never"])
        #expect(try times(1, "* * * * *", after: "0001-01-01T00:00:00Z") == ["0001-01-01T00:01"])
    }

    @Test("short forms stand for what crontab(5) says")
    func shortForms() throws {
        let start = "2026-11-20T10:15:00Z"
        for (text, next) in [
            ("@yearly", "2027-01-01T00:00"), ("@annually", "2027-01-01T00:00"), ("@monthly", "2026-12-01T00:00"),
            ("@weekly", "2026-11-22T00:00"), ("@daily", "2026-11-21T00:00"), (" @Midnight ", "2026-11-21T00:00"),
            ("@hourly", "2026-11-20T11:00"),
        ] {
            #expect(try times(1, text, after: start) == [next])
        }
    }

    @Test("a message names the field, what is wrong and what is allowed")
    func messages() {
        let minutes = "; allowed are numbers from 0 to 59, *, a-b, lists with commas, */n and a-b/n"
        #expect(problem("61 * * * *") == "minute: 61 is out of range" + minutes)
        #expect(problem("x * * * *") == "minute: \"x\" is no such number or name".replacing("x", with: "X") + minutes)
        #expect(problem("1, * * * *") == "minute: a number is missing" + minutes)
        #expect(problem("5-1 * * * *") == "minute: the range \"5-1\" runs backwards" + minutes)
        #expect(problem("*/0 * * * *") == "minute: \"*/0\" has no step of 1 or more behind its slash" + minutes)
        #expect(problem("* * * * fri-sun")?.contains("a Sunday at the end of a range is 7") == true)
        #expect(problem("* * * * 1#6")?.hasPrefix("day of the week: a month has the weekdays #1 to #5, not #6") == true)
        #expect(problem("* * * * monL")?.hasPrefix("day of the week: \"MONL\" is not nL with n from 0 to 7") == true)
        #expect(
            problem("0 6 * *")
                == "a cron expression has five fields (minute, hour, day of the month, month, day of the week), not 4")
        #expect(problem("@reboot")?.hasPrefix("there is no such short form; there are @annually, @daily") == true)
        #expect(problem("0 0 31 4,6 *") == "day of the month: none of the months named has so many days")
        #expect(problem("0 0 31 4 1") == nil)
    }

    @Test("strange and hostile texts are refused")
    func hostile() {
        for text in [
            "", " ", "* * * * * *", "? * * * *", "* * ? * *", "1_0 * * * *", "+1 * * * *", "\u{0661} * * * *",
            "* * * * fr\u{0131}", "*\u{301} * * * *", "**/2 * * * *", "*-5 * * * *", "1-2-3 * * * *", "* * L-3 * *",
            "* * 1L * *", "* * L/2 * *", "* * * * L", "* * * * #1", "* * * * 1#", "* * * * 1#1#1", "* * * * 1-5#2",
            "99999999999999999999 * * * *", "*\n* * * *", "*\u{00A0}* * * *", String(repeating: "1,", count: 500),
        ] {
            #expect(problem(text) != nil, "\(text)")
        }
    }
}

extension ZoneFile {
    /// A zone that has kept one rule for ever.
    init?(rule: String) {
        let counts = [UInt8](repeating: 0, count: 19) + [1, 0, 0, 0, 4]
        let block = Array("TZif2".utf8) + [UInt8](repeating: 0, count: 15) + counts
        let type = [UInt8](repeating: 0, count: 6) + Array("AAA\0".utf8)
        self.init(tzif: block + type + block + type + Array("\n\(rule)\n".utf8))
    }
}

package import WaybillCore

/// A cron expression of five fields, as Debian's cron reads them (crontab(5)), with `L`, `LW`, `nL` and `n#k` besides.
///
/// The fields are minute, hour, day of the month, month and day of the week. If one of the two day fields begins with
/// a star, a day must match both; otherwise either is enough.
package struct CronSchedule: Sendable, Hashable {
    /// As written.
    package let source: String
    private let minutes: UInt64
    private let hours: UInt64
    private let days: CronDays
    /// Whether neither minute nor hour begins with a star: such a time fires once on the day the clocks change.
    private let isFixed: Bool

    /// The reason why a text is no cron expression.
    package struct Problem: Error, Sendable, Hashable {
        /// Names the field, what is wrong with it, and what it may hold.
        package let message: String
    }

    /// The longest text that is read; every value of every field, written out, is shorter.
    private static let maximumLength = 1_000

    /// crontab(5) names these; `@reboot` has no meaning here.
    private static let macros = [
        "@YEARLY": "0 0 1 1 *", "@ANNUALLY": "0 0 1 1 *", "@MONTHLY": "0 0 1 * *", "@WEEKLY": "0 0 * * 0",
        "@DAILY": "0 0 * * *", "@MIDNIGHT": "0 0 * * *", "@HOURLY": "0 * * * *",
    ]

    /// - Throws: a problem for a text that is no such expression, and for a date that no year has (the 30th of
    ///   February). Not thrown for other expressions that never fire.
    package init(_ text: String) throws(Problem) {
        source = text
        guard text.utf8.count <= Self.maximumLength else {
            throw Problem(message: "a cron expression has at most \(Self.maximumLength) bytes")
        }
        // Letters of other scripts have no business here: some of them become ASCII in upper case.
        let upper = String(decoding: text.utf8.map { (0x61...0x7A).contains($0) ? $0 - 0x20 : $0 }, as: UTF8.self)
        let trimmed = upper.split { $0 == " " || $0 == "\t" }.joined(separator: " ")
        if trimmed.hasPrefix("@"), Self.macros[trimmed] == nil {
            let names = Self.macros.keys.sorted().map { $0.lowercased() }.joined(separator: ", ")
            throw Problem(message: "there is no such short form; there are \(names)")
        }
        let fields = (Self.macros[trimmed] ?? trimmed).split(separator: " ")
        guard fields.count == CronField.allCases.count else {
            throw Problem(
                message: "a cron expression has five fields (minute, hour, day of the month, month, "
                    + "day of the week), not \(fields.count)")
        }
        let minute = try CronFieldReader(.minute, fields[0])
        let hour = try CronFieldReader(.hour, fields[1])
        minutes = minute.numbers
        hours = hour.numbers
        isFixed = !minute.isStar && !hour.isStar
        days = try CronDays(
            dayOfMonth: try CronFieldReader(.dayOfMonth, fields[2]), month: try CronFieldReader(.month, fields[3]),
            dayOfWeek: try CronFieldReader(.dayOfWeek, fields[4]))
    }
}

// MARK: The next time

extension CronSchedule {
    /// How far ahead is looked, in seconds: the 29th of February falls on a given weekday at least every 40 years.
    private static let horizon: Int64 = 50 * 366 * 86_400
    /// Time changes of this size and more are taken for a new clock, not for daylight saving.
    private static let longestShift = 3 * 3_600

    /// The first time after a moment, which is a whole minute of the zone's clock; nil if there is none in the next
    /// 50 years, nor before the end of the year 9999.
    ///
    /// When the clocks change by less than three hours, a schedule whose minute and hour both begin without a star
    /// fires once for each of its times: where the clock skips it, at the first minute after the gap; where the clock
    /// shows it twice, the first time. Any other schedule follows the clock on the wall.
    package func next(after start: Timestamp, in zone: ZoneFile) -> Timestamp? {
        var (earliest, rest) = start.microseconds.quotientAndRemainder(dividingBy: 1_000_000)
        // Whole seconds strictly after the start.
        earliest += rest < 0 ? 0 : 1
        let limit = min(earliest + Self.horizon, Timestamp.latest.microseconds / 1_000_000 + 1)
        while earliest < limit {
            let span = zone.span(at: earliest)
            if let time = firstTime(in: span, from: earliest, before: min(span.end, limit)) {
                return Timestamp(microseconds: time * 1_000_000)
            }
            earliest = span.end
        }
        return nil
    }

    /// The first time between two moments of one span, in seconds since 1970.
    private func firstTime(in span: ZoneSpan, from earliest: Int64, before end: Int64) -> Int64? {
        let offset = Int64(span.offset)
        let shift = span.offset - span.previousOffset
        let changed = span.start + Int64(span.previousOffset)
        var localStart = max(earliest, span.start) + offset
        if isFixed, abs(shift) < Self.longestShift {
            if shift > 0 {
                let afterGap = roundedUp(span.start + offset) - offset
                let isSkipped = afterGap >= earliest && firstMatch(from: changed, before: span.start + offset) != nil
                if isSkipped, afterGap < end { return afterGap }
            } else if shift < 0 {
                // What the clock shows for the second time has been fired.
                localStart = max(localStart, changed)
            }
        }
        return firstMatch(from: localStart, before: end + offset).map { $0 - offset }
    }

    /// The first matching minute between two readings of the clock, in seconds since 1970 as the clock shows them.
    private func firstMatch(from start: Int64, before end: Int64) -> Int64? {
        let first = roundedUp(start)
        guard first < end else { return nil }
        let lastDay = Int((end - 1).floored(by: 86_400))
        var day = Int(first.floored(by: 86_400))
        var minute = Int(first - Int64(day) * 86_400) / 60
        while day <= lastDay {
            let date = CivilDate(daysSince1970: day)
            let later = days.days(ofMonth: date.month, year: date.year) & (UInt64.max << UInt64(date.day))
            guard later != 0 else {
                day += CivilDate.days(inMonth: date.month, of: date.year) - date.day + 1
                minute = 0
                continue
            }
            let wait = later.trailingZeroBitCount - date.day
            if wait > 0 { minute = 0 }
            day += wait
            if let found = minuteOfDay(from: minute) {
                let time = Int64(day) * 86_400 + Int64(found) * 60
                return time < end ? time : nil
            }
            day += 1
            minute = 0
        }
        return nil
    }

    private func minuteOfDay(from start: Int) -> Int? {
        let (hour, minute) = (start / 60, start % 60)
        if hours & 1 << UInt64(hour) != 0 {
            let later = minutes & (UInt64.max << UInt64(minute))
            if later != 0 { return hour * 60 + later.trailingZeroBitCount }
        }
        let laterHours = hours & (UInt64.max << UInt64(hour + 1))
        return laterHours == 0 ? nil : laterHours.trailingZeroBitCount * 60 + minutes.trailingZeroBitCount
    }

    private func roundedUp(_ seconds: Int64) -> Int64 { (seconds + 59).floored(by: 60) * 60 }
}

extension Int64 {
    /// The quotient rounded down; the divisor is above zero.
    fileprivate func floored(by divisor: Int64) -> Int64 {
        let (quotient, remainder) = quotientAndRemainder(dividingBy: divisor)
        return remainder < 0 ? quotient - 1 : quotient
    }
}

import WaybillCore

/// The days a cron expression names.
struct CronDays: Sendable, Hashable {
    /// Bit n: the n-th month, from 1.
    let months: UInt64
    /// Bit n: the n-th day of the month, from 1.
    private let days: UInt64
    private let lastDay: Bool
    private let lastWorkday: Bool
    /// Bit n: the weekday n, Sunday being 0; the k-th weekday n at 7 (k - 1) + n; the last weekday n.
    private let weekdays, nthWeekdays, lastWeekdays: UInt64
    /// Whether a day must be in both fields, which it must if one of them begins with a star.
    private let needsBoth: Bool

    /// - Throws: a problem if no month has such a day: the 31st of April.
    init(
        dayOfMonth: CronFieldReader, month: CronFieldReader, dayOfWeek: CronFieldReader
    ) throws(CronSchedule.Problem) {
        months = month.numbers
        days = dayOfMonth.numbers
        lastDay = dayOfMonth.lastDay
        lastWorkday = dayOfMonth.lastWorkday
        weekdays = dayOfWeek.numbers
        nthWeekdays = dayOfWeek.nthWeekdays
        lastWeekdays = dayOfWeek.lastWeekdays
        needsBoth = dayOfMonth.isStar || dayOfWeek.isStar
        guard needsBoth, !lastDay, !lastWorkday else { return }
        // 2000 is a leap year.
        let longest = (1...12).filter { months & 1 << UInt64($0) != 0 }
            .map { CivilDate.days(inMonth: $0, of: 2000) }.max()
        if let longest, days.trailingZeroBitCount > longest {
            throw CronSchedule.Problem(message: "day of the month: none of the months named has so many days")
        }
    }

    /// The days of a month that are meant, bit n for the n-th.
    func days(ofMonth month: Int, year: Int) -> UInt64 {
        guard months & 1 << UInt64(month) != 0 else { return 0 }
        let count = CivilDate.days(inMonth: month, of: year)
        let firstDay = CivilDate(year: year, month: month, day: 1).daysSince1970
        // 1970-01-01 was a Thursday.
        let first = ((firstDay + 4) % 7 + 7) % 7
        let existing: UInt64 = (1 << UInt64(count + 1)) - 2
        let byDate = existing & (days | dateBits(count: count, first: first))
        let byWeekday = existing & weekdayBits(count: count, first: first)
        return needsBoth ? byDate & byWeekday : byDate | byWeekday
    }

    private func dateBits(count: Int, first: Int) -> UInt64 {
        var bits: UInt64 = 0
        if lastDay { bits |= 1 << UInt64(count) }
        if lastWorkday {
            let weekday = (first + count - 1) % 7
            bits |= 1 << UInt64(count - (weekday == 0 ? 2 : weekday == 6 ? 1 : 0))
        }
        return bits
    }

    private func weekdayBits(count: Int, first: Int) -> UInt64 {
        var bits: UInt64 = 0
        for day in 1...count {
            let weekday = (first + day - 1) % 7
            let nth = 7 * ((day - 1) / 7) + weekday
            let isMeant =
                weekdays & 1 << UInt64(weekday) != 0 || nthWeekdays & 1 << UInt64(nth) != 0
                || day + 7 > count && lastWeekdays & 1 << UInt64(weekday) != 0
            if isMeant { bits |= 1 << UInt64(day) }
        }
        return bits
    }
}

package import WaybillCore

/// An instant with nanoseconds, from the year 1 to the year 9999 as the language definition limits it.
package struct CELTimestamp: Hashable, Comparable, Sendable {
    /// Since 1970-01-01 UTC.
    package let seconds: Int64
    /// 0 ..< 1,000,000,000
    package let nanoseconds: Int32

    static let earliest: Int64 = -62_135_596_800
    static let latest: Int64 = 253_402_300_799

    /// nil outside the years 1 to 9999.
    package init?(seconds: Int64, nanoseconds: Int32 = 0) {
        guard (Self.earliest...Self.latest).contains(seconds), (0..<1_000_000_000).contains(nanoseconds) else {
            return nil
        }
        self.seconds = seconds
        self.nanoseconds = nanoseconds
    }

    init?(wholeNanoseconds: Int128) {
        var (seconds, rest) = wholeNanoseconds.quotientAndRemainder(dividingBy: 1_000_000_000)
        if rest < 0 {
            rest += 1_000_000_000
            seconds -= 1
        }
        guard let seconds = Int64(exactly: seconds) else { return nil }
        self.init(seconds: seconds, nanoseconds: Int32(rest))
    }

    /// nil outside the years 1 to 9999.
    package init?(_ timestamp: Timestamp) {
        self.init(wholeNanoseconds: Int128(timestamp.microseconds) * 1_000)
    }

    var wholeNanoseconds: Int128 { Int128(seconds) * 1_000_000_000 + Int128(nanoseconds) }

    /// Rounded down to the microsecond.
    package var timestamp: Timestamp {
        Timestamp(microseconds: seconds * 1_000_000 + Int64(nanoseconds / 1_000))
    }

    package static func < (left: CELTimestamp, right: CELTimestamp) -> Bool {
        (left.seconds, left.nanoseconds) < (right.seconds, right.nanoseconds)
    }
}

extension CELTimestamp {
    /// Reads RFC 3339, "Date and Time on the Internet", section 5.6; digits past nanoseconds are dropped.
    package init?(rfc3339 text: String) {
        var reader = DigitReader(text)
        guard let year = reader.number(digits: 4), reader.take("-"), let month = reader.number(digits: 2),
            reader.take("-"), let day = reader.number(digits: 2), CivilDate.isValid(year: year, month: month, day: day),
            reader.take("T") || reader.take("t"), let hour = reader.number(digits: 2), hour < 24, reader.take(":"),
            let minute = reader.number(digits: 2), minute < 60, reader.take(":"),
            let second = reader.number(digits: 2), second < 60
        else { return nil }
        var nanoseconds = 0
        if reader.take(".") {
            guard let fraction = reader.fraction(digits: 9) else { return nil }
            nanoseconds = fraction
        }
        guard let offset = reader.offsetMinutes(), reader.isAtEnd else { return nil }
        let days = CivilDate(year: year, month: month, day: day).daysSince1970
        let seconds = days * 86_400 + hour * 3_600 + minute * 60 + second - offset * 60
        self.init(seconds: Int64(seconds), nanoseconds: Int32(nanoseconds))
    }

    /// The parts a clock on the wall shows that is `offset` seconds ahead of UTC.
    func civil(offsetSeconds offset: Int) -> CivilTime {
        let local = Int(seconds) + offset
        let day = local >= 0 ? local / 86_400 : -((86_399 - local) / 86_400)
        return CivilTime(
            date: CivilDate(daysSince1970: day), day: day, second: local - day * 86_400,
            nanoseconds: Int(nanoseconds), offsetSeconds: offset)
    }
}

extension CELTimestamp: CustomStringConvertible {
    /// RFC 3339 in UTC with as many fraction digits as needed: `2026-11-20T10:15:03.5Z`.
    package var description: String {
        let civil = civil(offsetSeconds: 0)
        return civil.dateText + "T" + civil.timeText + fractionText(Int(nanoseconds)) + "Z"
    }
}

/// An instant as a calendar and a clock on the wall show it.
struct CivilTime {
    let date: CivilDate
    /// Days since 1970-01-01.
    let day: Int
    /// Of the day.
    let second: Int
    let nanoseconds: Int
    let offsetSeconds: Int

    var hour: Int { second / 3_600 }
    var minute: Int { second / 60 % 60 }
    /// 0 is Sunday.
    var weekday: Int { ((day + 4) % 7 + 7) % 7 }
    /// 0 is the first of January.
    var dayOfYear: Int { day - CivilDate(year: date.year, month: 1, day: 1).daysSince1970 }

    var dateText: String { "\(padded(date.year, 4))-\(padded(date.month))-\(padded(date.day))" }
    var timeText: String { "\(padded(hour)):\(padded(minute)):\(padded(second % 60))" }
}

/// The number with leading zeros.
func padded(_ number: Int, _ width: Int = 2) -> String {
    let digits = String(number)
    return String(repeating: "0", count: max(0, width - digits.utf8.count)) + digits
}

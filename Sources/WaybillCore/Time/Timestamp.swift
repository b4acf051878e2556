/// A moment in UTC with microseconds, as entries and files of Waybill write it: `2026-11-20T10:15:03.214159Z`.
///
/// Only the years 1 to 9999 exist, which is what RFC 3339 can write; sums that leave them stop at the end.
package struct Timestamp: Comparable, Hashable, Sendable {
    /// Since 1970-01-01T00:00:00Z, without leap seconds.
    package let microseconds: Int64

    package static let earliest = Timestamp(microseconds: .min)
    package static let latest = Timestamp(microseconds: .max)

    package init(microseconds: Int64) {
        // 0001-01-01T00:00:00Z and 9999-12-31T23:59:59.999999Z.
        self.microseconds = min(max(microseconds, -62_135_596_800_000_000), 253_402_300_799_999_999)
    }

    package static func < (left: Timestamp, right: Timestamp) -> Bool { left.microseconds < right.microseconds }

    package static func + (left: Timestamp, right: Duration) -> Timestamp {
        let (sum, overflowed) = left.microseconds.addingReportingOverflow(right.microseconds)
        if overflowed { return right < .zero ? earliest : latest }
        return Timestamp(microseconds: sum)
    }

    package static func - (left: Timestamp, right: Duration) -> Timestamp { left + (.zero - right) }

    package static func - (left: Timestamp, right: Timestamp) -> Duration {
        .microseconds(left.microseconds - right.microseconds)
    }
}

extension Timestamp {
    /// Reads a date and time of RFC 3339, section 5.6, with any offset; digits beyond microseconds are dropped,
    /// a leap second is the first moment of the next minute. Nil for anything else.
    package init?(rfc3339 text: String) {
        var reader = DigitReader(text)
        guard let year = reader.number(digits: 4), reader.take("-"), let month = reader.number(digits: 2),
            reader.take("-"), let day = reader.number(digits: 2), reader.take("T") || reader.take("t"),
            let hour = reader.number(digits: 2), reader.take(":"), let minute = reader.number(digits: 2),
            reader.take(":"), let second = reader.number(digits: 2)
        else { return nil }
        guard year >= 1, hour < 24, minute < 60, second <= 60,
            CivilDate.isValid(year: year, month: month, day: day)
        else { return nil }
        var fraction = 0
        if reader.take(".") {
            guard let digits = reader.fraction(digits: 6) else { return nil }
            fraction = digits
        }
        guard let offset = reader.offsetMinutes(), reader.isAtEnd else { return nil }
        if second == 60 {
            let minuteOfDay = ((hour * 60 + minute - offset) % 1440 + 1440) % 1440
            guard minuteOfDay == 1439 else { return nil }
        }
        let days = CivilDate(year: year, month: month, day: day).daysSince1970
        let seconds = days * 86_400 + hour * 3_600 + (minute - offset) * 60 + second
        let microseconds = Int64(seconds) * 1_000_000 + Int64(fraction)
        self.init(microseconds: microseconds)
        // An offset can push the first or the last hours out of the years that exist.
        guard self.microseconds == microseconds else { return nil }
    }

    /// Bytes of the one spelling that Waybill writes.
    package static let spellingLength = 27

    /// Reads exactly what `description` writes; nil for any other spelling of a moment.
    package init?(spelling bytes: UnsafeRawBufferPointer) {
        guard bytes.count == Self.spellingLength else { return nil }
        var isSpelled = true
        func number(_ digits: Range<Int>) -> Int {
            var number = 0
            for index in digits {
                let digit = bytes[index] &- UInt8(ascii: "0")
                if digit > 9 { isSpelled = false }
                number = number * 10 + Int(digit)
            }
            return number
        }
        func expect(_ mark: Unicode.Scalar, at index: Int) {
            if bytes[index] != UInt8(ascii: mark) { isSpelled = false }
        }
        let date = CivilDate(year: number(0..<4), month: number(5..<7), day: number(8..<10))
        let (hour, minute, second) = (number(11..<13), number(14..<16), number(17..<19))
        let fraction = number(20..<26)
        expect("-", at: 4)
        expect("-", at: 7)
        expect("T", at: 10)
        expect(":", at: 13)
        expect(":", at: 16)
        expect(".", at: 19)
        expect("Z", at: 26)
        guard isSpelled, date.year >= 1, CivilDate.isValid(year: date.year, month: date.month, day: date.day),
            hour < 24, minute < 60, second < 60
        else { return nil }
        let seconds = date.daysSince1970 * 86_400 + hour * 3_600 + minute * 60 + second
        self.init(microseconds: Int64(seconds) * 1_000_000 + Int64(fraction))
    }

    /// The moment's date and time of day in UTC.
    package var civil: (date: CivilDate, hour: Int, minute: Int, second: Int, microsecond: Int) {
        let day = Int64(86_400_000_000)
        let (quotient, remainder) = microseconds.quotientAndRemainder(dividingBy: day)
        let days = remainder < 0 ? quotient - 1 : quotient
        let rest = Int(remainder < 0 ? remainder + day : remainder)
        let seconds = rest / 1_000_000
        return (
            CivilDate(daysSince1970: Int(days)), seconds / 3_600, seconds / 60 % 60, seconds % 60, rest % 1_000_000
        )
    }
}

extension Timestamp: CustomStringConvertible {
    /// Always 27 characters, as in `2026-11-20T10:15:03.214159Z`.
    package var description: String { String(decoding: utf8, as: UTF8.self) }

    /// The bytes of `description`.
    package var utf8: [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(Self.spellingLength)
        append(to: &bytes)
        return bytes
    }

    /// Appends the bytes of `description`.
    func append(to bytes: inout [UInt8]) {
        let (date, hour, minute, second, microsecond) = civil
        bytes.append(number: date.year, digits: 4)
        bytes.append(UInt8(ascii: "-"))
        bytes.append(number: date.month, digits: 2)
        bytes.append(UInt8(ascii: "-"))
        bytes.append(number: date.day, digits: 2)
        bytes.append(UInt8(ascii: "T"))
        bytes.append(number: hour, digits: 2)
        bytes.append(UInt8(ascii: ":"))
        bytes.append(number: minute, digits: 2)
        bytes.append(UInt8(ascii: ":"))
        bytes.append(number: second, digits: 2)
        bytes.append(UInt8(ascii: "."))
        bytes.append(number: microsecond, digits: 6)
        bytes.append(UInt8(ascii: "Z"))
    }

    /// The form of run ids: `20261120T101500`.
    package var compactSeconds: String {
        let (date, hour, minute, second, _) = civil
        var bytes: [UInt8] = []
        bytes.append(number: date.year, digits: 4)
        bytes.append(number: date.month, digits: 2)
        bytes.append(number: date.day, digits: 2)
        bytes.append(UInt8(ascii: "T"))
        for part in [hour, minute, second] { bytes.append(number: part, digits: 2) }
        return String(decoding: bytes, as: UTF8.self)
    }
}

extension [UInt8] {
    /// Appends a number with leading zeros.
    fileprivate mutating func append(number: Int, digits: Int) {
        var scale = 1
        for _ in 1..<digits { scale *= 10 }
        while scale > 0 {
            append(UInt8(ascii: "0") + UInt8(number / scale % 10))
            scale /= 10
        }
    }
}

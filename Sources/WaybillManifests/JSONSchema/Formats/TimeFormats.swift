import WaybillCore

/// Dates and times of RFC 3339, section 5.6 and appendix A.
enum TimeFormats {
    static func isDateTime(_ text: String) -> Bool {
        let bytes = Array(text.utf8)
        guard bytes.count > 11, bytes[10] == UInt8(ascii: "T") || bytes[10] == UInt8(ascii: "t") else { return false }
        return isDate(String(decoding: bytes[..<10], as: UTF8.self))
            && isTime(String(decoding: bytes[11...], as: UTF8.self))
    }

    static func isDate(_ text: String) -> Bool {
        var reader = DigitReader(text)
        guard let year = reader.number(digits: 4), reader.take("-"), let month = reader.number(digits: 2),
            reader.take("-"), let day = reader.number(digits: 2), reader.isAtEnd
        else { return false }
        return CivilDate.isValid(year: year, month: month, day: day)
    }

    /// A leap second stands only where one can be: at 23:59:60 UTC.
    static func isTime(_ text: String) -> Bool {
        var reader = DigitReader(text)
        guard let hour = reader.number(digits: 2), reader.take(":"), let minute = reader.number(digits: 2),
            reader.take(":"), let second = reader.number(digits: 2), hour < 24, minute < 60, second <= 60
        else { return false }
        if reader.take(".") && reader.fraction(digits: 1) == nil { return false }
        guard let offset = reader.offsetMinutes(), reader.isAtEnd else { return false }
        return second < 60 || (hour * 60 + minute - offset + 2 * 1_440) % 1_440 == 1_439
    }

    /// `P1Y2M3DT4H5M6S` with gaps only at the ends, or `P3W`.
    static func isDuration(_ text: String) -> Bool {
        var rest = Substring(text).utf8[...]
        guard rest.popFirst() == UInt8(ascii: "P") else { return false }
        var whole = rest
        if parts(&whole, of: "W") == [0], whole.isEmpty { return true }
        guard let date = parts(&rest, of: "YMD") else { return false }
        if rest.isEmpty { return isRun(date) && !date.isEmpty }
        guard rest.popFirst() == UInt8(ascii: "T"), let time = parts(&rest, of: "HMS") else { return false }
        return rest.isEmpty && isRun(date) && isRun(time) && !time.isEmpty
    }

    /// Reads numbers with units; gives the positions of the units found, or nil if one is out of order.
    private static func parts(_ rest: inout Substring.UTF8View.SubSequence, of units: String) -> [Int]? {
        let units = Array(units.utf8)
        var found: [Int] = []
        while let first = rest.first, first.isDigit {
            let start = rest
            while let byte = rest.first, byte.isDigit { rest.removeFirst() }
            guard let unit = rest.first, let index = units.firstIndex(of: unit), index > found.last ?? -1 else {
                rest = start
                return found.isEmpty ? [] : nil
            }
            rest.removeFirst()
            found.append(index)
        }
        return found
    }

    /// Whether no unit between the first and the last is left out, as the grammar has it.
    private static func isRun(_ units: [Int]) -> Bool {
        units.isEmpty || units[units.count - 1] - units[0] == units.count - 1
    }
}

import WaybillCore

/// The rule at the end of a zone's file: `CET-1CEST,M3.5.0,M10.5.0/3` (POSIX, "Environment Variables", `TZ`, with the
/// hours from -167 to 167 that RFC 9636 adds).
struct ZoneRule: Sendable {
    private let standardOffset: Int
    private let summer: (offset: Int, start: Day, end: Day)?

    /// A day of each year, and the second of it in the time that holds until then.
    private struct Day {
        enum Kind {
            /// The n-th weekday of a month, the fifth being the last.
            case weekday(month: Int, week: Int, weekday: Int)
            /// From 1 to 365, the 29th of February not counted.
            case julian(Int)
            /// From 0 to 365.
            case zeroBased(Int)
        }

        var kind: Kind
        var second: Int

        /// In seconds since 1970, by the clock on the wall.
        func time(in year: Int) -> Int64 {
            let first = CivilDate(year: year, month: 1, day: 1).daysSince1970
            let day: Int
            switch kind {
            case .zeroBased(let number): day = first + number
            case .julian(let number): day = first + number - 1 + (CivilDate.isLeap(year) && number > 59 ? 1 : 0)
            case .weekday(let month, let week, let weekday):
                let start = CivilDate(year: year, month: month, day: 1).daysSince1970
                let startWeekday = ((start + 4) % 7 + 7) % 7
                let nth = (weekday - startWeekday + 7) % 7 + (week - 1) * 7
                day = start + (nth < CivilDate.days(inMonth: month, of: year) ? nth : nth - 7)
            }
            return Int64(day) * 86_400 + Int64(second)
        }
    }

    func offsetSeconds(at time: Int64) -> Int {
        guard let summer else { return standardOffset }
        let year = year(at: time)
        let start = summer.start.time(in: year) - Int64(standardOffset)
        let end = summer.end.time(in: year) - Int64(summer.offset)
        let isSummer = start < end ? (start..<end).contains(time) : !(end..<start).contains(time)
        return isSummer ? summer.offset : standardOffset
    }

    /// When the offset may change in the years around a moment, in order. Where the rule of one year meets that of
    /// the next nothing may change at all, or something without being named: the start of the year is among them.
    func candidates(around time: Int64) -> [Int64] {
        guard let summer else { return [] }
        let year = year(at: time)
        return (year - 2...year + 2).flatMap { year in
            [
                Int64(CivilDate(year: year, month: 1, day: 1).daysSince1970) * 86_400 - Int64(standardOffset),
                summer.start.time(in: year) - Int64(standardOffset), summer.end.time(in: year) - Int64(summer.offset),
            ]
        }.sorted()
    }

    private func year(at time: Int64) -> Int {
        let local = Int(time) + standardOffset
        let days = local >= 0 ? local / 86_400 : -((86_399 - local) / 86_400)
        return CivilDate(daysSince1970: days).year
    }

    // MARK: Reading

    /// nil if the text is no such rule.
    init?(posix text: String) {
        var rest = Array(text.utf8)[...]
        guard Self.takeName(&rest), let west = Self.takeTime(&rest) else { return nil }
        standardOffset = -west
        guard !rest.isEmpty else {
            summer = nil
            return
        }
        guard Self.takeName(&rest) else { return nil }
        var offset = standardOffset + 3_600
        if let first = rest.first, first != UInt8(ascii: ",") {
            guard let west = Self.takeTime(&rest) else { return nil }
            offset = -west
        }
        guard let start = Self.takeDay(&rest), let end = Self.takeDay(&rest), rest.isEmpty else { return nil }
        summer = (offset, start, end)
    }

    /// `CET` or `<+03>`
    private static func takeName(_ rest: inout ArraySlice<UInt8>) -> Bool {
        if rest.first == UInt8(ascii: "<") {
            guard let end = rest.firstIndex(of: UInt8(ascii: ">")) else { return false }
            rest = rest[(end + 1)...]
            return true
        }
        let name = rest.prefix { (0x41...0x5A).contains($0 & 0xDF) }
        rest = rest.dropFirst(name.count)
        return name.count >= 3
    }

    /// `-1`, `3:30`, `+02:00:30`, in seconds
    private static func takeTime(_ rest: inout ArraySlice<UInt8>) -> Int? {
        let isNegative = rest.first == UInt8(ascii: "-")
        if isNegative || rest.first == UInt8(ascii: "+") { rest = rest.dropFirst() }
        guard var seconds = takeNumber(&rest).map({ $0 * 3_600 }) else { return nil }
        for unit in [60, 1] where rest.first == UInt8(ascii: ":") {
            rest = rest.dropFirst()
            guard let number = takeNumber(&rest) else { return nil }
            seconds += number * unit
        }
        return isNegative ? -seconds : seconds
    }

    private static func takeNumber(_ rest: inout ArraySlice<UInt8>) -> Int? {
        let digits = rest.prefix { $0.isDigit }
        guard (1...3).contains(digits.count) else { return nil }
        rest = rest.dropFirst(digits.count)
        return digits.reduce(0) { $0 * 10 + Int($1 - 0x30) }
    }

    /// `,M3.5.0/2`, `,J60`, `,59/25`
    private static func takeDay(_ rest: inout ArraySlice<UInt8>) -> Day? {
        guard rest.popFirst() == UInt8(ascii: ",") else { return nil }
        let kind: Day.Kind
        switch rest.first {
        case UInt8(ascii: "M"):
            rest = rest.dropFirst()
            guard let month = takeNumber(&rest), rest.popFirst() == UInt8(ascii: "."), let week = takeNumber(&rest),
                rest.popFirst() == UInt8(ascii: "."), let weekday = takeNumber(&rest), (1...12).contains(month),
                (1...5).contains(week), (0...6).contains(weekday)
            else { return nil }
            kind = .weekday(month: month, week: week, weekday: weekday)
        case UInt8(ascii: "J"):
            rest = rest.dropFirst()
            guard let number = takeNumber(&rest), (1...365).contains(number) else { return nil }
            kind = .julian(number)
        default:
            guard let number = takeNumber(&rest), (0...365).contains(number) else { return nil }
            kind = .zeroBased(number)
        }
        var second = 7_200
        if rest.first == UInt8(ascii: "/") {
            rest = rest.dropFirst()
            guard let time = takeTime(&rest) else { return nil }
            second = time
        }
        return Day(kind: kind, second: second)
    }
}

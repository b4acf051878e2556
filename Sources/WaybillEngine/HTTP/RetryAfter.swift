package import WaybillCore

/// The header `Retry-After` (RFC 9110, section 10.2.3).
package enum RetryAfter {
    /// A server may ask for patience, not for a stop without end.
    package static let longest = Duration.seconds(7 * 86_400)

    /// When to try again: not before `now`, and at most `longest` after it.
    ///
    /// - Returns: Nil for what is neither a number of seconds nor a date; such a header says nothing.
    package static func parse(_ headerValue: String, now: Timestamp) -> Timestamp? {
        let words = headerValue.split { $0 == " " || $0 == "\t" }.map(String.init)
        let latest = now + longest
        if words.count == 1, words[0].utf8.allSatisfy(\.isASCIIDigit) {
            // More digits than a number can have mean longer than any limit.
            guard let seconds = Int64(words[0]) else { return latest }
            return min(now + .seconds(min(seconds, longest.components.seconds)), latest)
        }
        return HTTPDate.parse(words, now: now).map { min(max($0, now), latest) }
    }
}

/// The three forms of dates that a recipient must read (RFC 9110, section 5.6.7).
enum HTTPDate {
    private static let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
    private static let days = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"]

    static func parse(_ words: [String], now: Timestamp) -> Timestamp? {
        guard let first = words.first else { return nil }
        switch words.count {
        // Sun, 06 Nov 1994 08:49:37 GMT
        case 6 where isDay(first, short: true, comma: true) && words[5] == "GMT":
            return moment(day: words[1], month: words[2], year: number(words[3], digits: 4), time: words[4])
        // Sunday, 06-Nov-94 08:49:37 GMT
        case 4 where isDay(first, short: false, comma: true) && words[3] == "GMT":
            let date = words[1].split(separator: "-", omittingEmptySubsequences: false).map(String.init)
            guard date.count == 3, let year = number(date[2], digits: 2) else { return nil }
            return moment(day: date[0], month: date[1], year: fullYear(year, now: now), time: words[2])
        // Sun Nov  6 08:49:37 1994
        case 5 where isDay(first, short: true, comma: false):
            let day = words[2].utf8.count == 1 ? "0" + words[2] : words[2]
            return moment(day: day, month: words[1], year: number(words[4], digits: 4), time: words[3])
        default: return nil
        }
    }

    /// The name is not compared with the date: a server that errs in it still means the date.
    private static func isDay(_ word: String, short: Bool, comma: Bool) -> Bool {
        days.contains { (short ? String($0.prefix(3)) : $0) + (comma ? "," : "") == word }
    }

    private static func number(_ text: String, digits: Int) -> Int? {
        guard text.utf8.count == digits, text.utf8.allSatisfy(\.isASCIIDigit) else { return nil }
        return Int(text)
    }

    /// The last year with these digits that is not more than 50 years away.
    private static func fullYear(_ lastDigits: Int, now: Timestamp) -> Int {
        let limit = now.civil.date.year + 50
        let year = limit / 100 * 100 + lastDigits
        return year > limit ? year - 100 : year
    }

    private static func moment(day: String, month: String, year: Int?, time: String) -> Timestamp? {
        guard let year, let month = months.firstIndex(of: month), let day = number(day, digits: 2), year > 0,
            CivilDate.isValid(year: year, month: month + 1, day: day)
        else { return nil }
        let parts = time.split(separator: ":", omittingEmptySubsequences: false).map { number(String($0), digits: 2) }
        guard parts.count == 3, let hour = parts[0], let minute = parts[1], let second = parts[2],
            hour < 24, minute < 60, second <= 60
        else { return nil }
        let days = CivilDate(year: year, month: month + 1, day: day).daysSince1970
        return Timestamp(microseconds: Int64(days * 86_400 + hour * 3_600 + minute * 60 + second) * 1_000_000)
    }
}

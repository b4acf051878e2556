import WaybillCore

/// `formatTime(time, "%Y-%m-%d %H:%M", "Europe/Paris")`: the conversions of POSIX `strftime` in the C locale that
/// people use in names and messages, UTC unless a zone is given.
enum TimeFormatter {
    private static let weekdays = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"]
    private static let months = [
        "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
        "December",
    ]

    static func format(_ a: Arguments, _ evaluator: inout Evaluator) throws(ExpressionError) -> CELValue {
        let zone = a.count > 2 ? try a.string(2) : "UTC"
        let time = try a.timestamp(0)
        let civil = try TimeFunctions.civil(time, zone: zone, a, &evaluator)
        let pattern = try a.string(1)
        // No conversion makes more than 16 characters of its two.
        try evaluator.charge(bytes: 8 * pattern.utf8.count)
        var result = ""
        var rest = pattern.unicodeScalars[...]
        while let scalar = rest.popFirst() {
            guard scalar == "%" else {
                result.unicodeScalars.append(scalar)
                continue
            }
            guard let letter = rest.popFirst() else { throw a.failure(.argument, "the pattern ends after '%'") }
            guard let text = text(letter, civil, time) else {
                throw a.failure(.argument, "there is no %\(letter); there are %Y %m %d %H %M %S and others of strftime")
            }
            result += text
        }
        return .string(result)
    }

    private static func text(_ letter: Unicode.Scalar, _ civil: CivilTime, _ time: CELTimestamp) -> String? {
        let date = civil.date
        switch letter {
        case "Y": return padded(date.year, 4)
        case "y": return padded(date.year % 100)
        case "m": return padded(date.month)
        case "d": return padded(date.day)
        case "e": return date.day < 10 ? " \(date.day)" : String(date.day)
        case "j": return padded(civil.dayOfYear + 1, 3)
        case "H": return padded(civil.hour)
        case "I": return padded((civil.hour + 11) % 12 + 1)
        case "p": return civil.hour < 12 ? "AM" : "PM"
        case "M": return padded(civil.minute)
        case "S": return padded(civil.second % 60)
        case "f": return padded(civil.nanoseconds / 1_000, 6)
        case "F": return civil.dateText
        case "T": return civil.timeText
        case "R": return "\(padded(civil.hour)):\(padded(civil.minute))"
        case "D": return "\(padded(date.month))/\(padded(date.day))/\(padded(date.year % 100))"
        case "A": return weekdays[civil.weekday]
        case "a": return String(weekdays[civil.weekday].prefix(3))
        case "B": return months[date.month - 1]
        case "b", "h": return String(months[date.month - 1].prefix(3))
        case "u": return String((civil.weekday + 6) % 7 + 1)
        case "w": return String(civil.weekday)
        case "s": return String(time.seconds)
        case "z": return offset(civil.offsetSeconds)
        case "G": return padded(isoWeek(civil).year, 4)
        case "V": return padded(isoWeek(civil).week)
        case "n": return "\n"
        case "t": return "\t"
        case "%": return "%"
        default: return nil
        }
    }

    private static func offset(_ seconds: Int) -> String {
        let minutes = Int(seconds.magnitude) / 60
        return (seconds < 0 ? "-" : "+") + padded(minutes / 60) + padded(minutes % 60)
    }

    /// ISO 8601: the week belongs to the year that has its Thursday.
    private static func isoWeek(_ civil: CivilTime) -> (year: Int, week: Int) {
        let thursday = civil.day - (civil.weekday + 6) % 7 + 3
        let year = CivilDate(daysSince1970: thursday).year
        return (year, (thursday - CivilDate(year: year, month: 1, day: 1).daysSince1970) / 7 + 1)
    }
}

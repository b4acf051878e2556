/// One of the five fields of a cron expression: what it is called and what it may hold.
enum CronField: CaseIterable {
    case minute, hour, dayOfMonth, month, dayOfWeek

    var name: String {
        switch self {
        case .minute: "minute"
        case .hour: "hour"
        case .dayOfMonth: "day of the month"
        case .month: "month"
        case .dayOfWeek: "day of the week"
        }
    }

    /// The numbers that may be written; a 7 in the last field is a Sunday like 0.
    var range: ClosedRange<Int> {
        switch self {
        case .minute: 0...59
        case .hour: 0...23
        case .dayOfMonth: 1...31
        case .month: 1...12
        case .dayOfWeek: 0...7
        }
    }

    /// What `*` stands for: each day of the week once.
    var whole: ClosedRange<Int> { self == .dayOfWeek ? 0...6 : range }

    /// Names in upper case, the first for the lowest number.
    private var names: [String] {
        switch self {
        case .minute, .hour, .dayOfMonth: []
        case .month: ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"]
        case .dayOfWeek: ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"]
        }
    }

    /// The number that a name in upper case stands for.
    func number(named name: String) -> Int? {
        names.firstIndex(of: name).map { $0 + range.lowerBound }
    }

    /// What may be written, for a message.
    var allowed: String {
        let numbers = "numbers from \(range.lowerBound) to \(range.upperBound)"
        let forms = "*, a-b, lists with commas, */n and a-b/n"
        return switch self {
        case .minute, .hour: "\(numbers), \(forms)"
        case .dayOfMonth: "\(numbers), \(forms), L (the last day) and LW (the last Monday to Friday)"
        case .month: "\(numbers), the names JAN to DEC, \(forms)"
        case .dayOfWeek:
            "\(numbers) (0 and 7 are Sunday), the names SUN to SAT, \(forms), "
                + "nL (the last such day of the month) and n#k (the k-th)"
        }
    }
}

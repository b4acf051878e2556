/// Reads one field of a cron expression.
struct CronFieldReader {
    private let field: CronField
    /// Whether the field begins with a star, which decides how days combine and how a time change is met.
    private(set) var isStar = false
    /// Bit n: the number n is in the field. Sunday is 0.
    private(set) var numbers: UInt64 = 0
    private(set) var lastDay = false
    private(set) var lastWorkday = false
    /// Bit n: the last weekday n of the month.
    private(set) var lastWeekdays: UInt64 = 0
    /// Bit 7 (k - 1) + n: the k-th weekday n of the month.
    private(set) var nthWeekdays: UInt64 = 0

    /// - Parameter text: in upper case.
    init(_ field: CronField, _ text: Substring) throws(CronSchedule.Problem) {
        self.field = field
        isStar = text.first == "*"
        for term in text.split(separator: ",", omittingEmptySubsequences: false) { try read(term) }
    }

    private mutating func read(_ term: Substring) throws(CronSchedule.Problem) {
        switch field {
        case .dayOfMonth where term == "L": lastDay = true
        case .dayOfMonth where term == "LW": lastWorkday = true
        case .dayOfWeek where term.contains("#"): try readNth(term)
        case .dayOfWeek where term.last == "L": try readLast(term)
        default: try readRange(term)
        }
    }

    /// `5#2`: the second Friday.
    private mutating func readNth(_ term: Substring) throws(CronSchedule.Problem) {
        let parts = term.split(separator: "#", omittingEmptySubsequences: false)
        guard parts.count == 2, let count = Self.digits(parts[1]) else { throw problem(quoted(term) + " is not n#k") }
        guard (1...5).contains(count) else { throw problem("a month has the weekdays #1 to #5, not #\(parts[1])") }
        nthWeekdays |= 1 << UInt64(7 * (count - 1) + (try number(parts[0])) % 7)
    }

    /// `5L`: the last Friday.
    private mutating func readLast(_ term: Substring) throws(CronSchedule.Problem) {
        guard let weekday = Self.digits(term.dropLast()), field.range.contains(weekday) else {
            throw problem(quoted(term) + " is not nL with n from 0 to 7")
        }
        lastWeekdays |= 1 << UInt64(weekday % 7)
    }

    /// `*`, `5`, `1-5`, each with a step or without.
    private mutating func readRange(_ term: Substring) throws(CronSchedule.Problem) {
        let parts = term.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        var step = 1
        if parts.count == 2 {
            guard let number = Self.digits(parts[1]), number > 0 else {
                throw problem(quoted(term) + " has no step of 1 or more behind its slash")
            }
            step = number
        }
        for number in stride(from: try span(parts[0], isOpen: parts.count == 2), step: step) {
            numbers |= 1 << UInt64(field == .dayOfWeek ? number % 7 : number)
        }
    }

    /// - Parameter isOpen: whether a single number is the start of a range that goes to the end: `5/15` is `5-59/15`.
    private func span(_ text: Substring, isOpen: Bool) throws(CronSchedule.Problem) -> ClosedRange<Int> {
        if text == "*" { return field.whole }
        let ends = text.split(separator: "-", maxSplits: 1, omittingEmptySubsequences: false)
        let low = try number(ends[0])
        guard ends.count == 2 else { return low...(isOpen ? field.range.upperBound : low) }
        let high = try number(ends[1])
        if low > high {
            let hint = field == .dayOfWeek && high == 0 ? "; a Sunday at the end of a range is 7" : ""
            throw problem("the range \(quoted(text)) runs backwards\(hint)")
        }
        return low...high
    }

    private func number(_ text: Substring) throws(CronSchedule.Problem) -> Int {
        if let number = field.number(named: String(text)) { return number }
        guard let number = Self.digits(text) else {
            throw problem(text.isEmpty ? "a number is missing" : quoted(text) + " is no such number or name")
        }
        guard field.range.contains(number) else { throw problem("\(text.prefix(20)) is out of range") }
        return number
    }

    /// The values of a range, every n-th.
    private func stride(from range: ClosedRange<Int>, step: Int) -> StrideThrough<Int> {
        Swift.stride(from: range.lowerBound, through: range.upperBound, by: step)
    }

    /// ASCII digits only; large numbers stop growing long after they are out of every range.
    private static func digits(_ text: Substring) -> Int? {
        guard !text.isEmpty, text.utf8.allSatisfy({ (0x30...0x39).contains($0) }) else { return nil }
        return text.utf8.reduce(0) { min($0 * 10 + Int($1 - 0x30), 1_000_000) }
    }

    private func quoted(_ text: Substring) -> String { "\"\(text.prefix(20))\"" }

    private func problem(_ reason: String) -> CronSchedule.Problem {
        CronSchedule.Problem(message: "\(field.name): \(reason); allowed are \(field.allowed)")
    }
}

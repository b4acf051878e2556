/// A strict reader of RFC 8259 over bytes in memory. One pass, no look-back, recursion bounded by the depth limit.
struct JSONParser {
    /// What is wrong and where; line and column are found only when it is shown to somebody.
    struct Failure: Error {
        var code: JSONError.Code
        var message: String
        var offset: Int
    }

    private let bytes: UnsafeRawBufferPointer
    private let limits: JSON.Limits
    private var position = 0
    private var depth = 0
    private var scratch: [UInt8] = []
    /// Whether all that was read is surely spelled as `JSON.compact` writes it. Where only writing it again could tell, it
    /// is false.
    private(set) var isCompact = true

    init(_ bytes: UnsafeRawBufferPointer, limits: JSON.Limits) {
        self.bytes = bytes
        self.limits = limits
    }

    mutating func document() throws(Failure) -> Value {
        guard bytes.count <= limits.bytes else {
            throw Failure(
                code: .size, message: "the document has \(bytes.count) bytes, more than \(limits.bytes)",
                offset: limits.bytes)
        }
        if bytes.starts(with: [0xEF, 0xBB, 0xBF]) {
            throw Failure(code: .syntax, message: "a byte order mark is not allowed in JSON", offset: 0)
        }
        skipSpace()
        let value = try value()
        skipSpace()
        if position < bytes.count { throw unexpected("the end of the document") }
        return value
    }

    // MARK: Values

    private mutating func value() throws(Failure) -> Value {
        guard position < bytes.count else { throw unexpected("a value") }
        switch bytes[position] {
        case UInt8(ascii: "\""): return .string(try string())
        case UInt8(ascii: "{"): return try object()
        case UInt8(ascii: "["): return try list()
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): return try number()
        case UInt8(ascii: "t"): return try word("true", .bool(true))
        case UInt8(ascii: "f"): return try word("false", .bool(false))
        case UInt8(ascii: "n"): return try word("null", .null)
        default: throw unexpected("a value")
        }
    }

    private mutating func word(_ text: StaticString, _ value: Value) throws(Failure) -> Value {
        let start = position
        for index in 0..<text.utf8CodeUnitCount {
            guard position < bytes.count, bytes[position] == text.utf8Start[index] else {
                position = start
                throw unexpected("a value")
            }
            position += 1
        }
        return value
    }

    private mutating func list() throws(Failure) -> Value {
        try descend()
        var elements: [Value] = []
        skipSpace()
        if take(UInt8(ascii: "]")) {
            depth -= 1
            return .list(elements)
        }
        while true {
            elements.append(try value())
            skipSpace()
            if take(UInt8(ascii: ",")) {
                skipSpace()
            } else if take(UInt8(ascii: "]")) {
                depth -= 1
                return .list(elements)
            } else {
                throw unexpected("',' or ']'")
            }
        }
    }

    private mutating func object() throws(Failure) -> Value {
        let start = position
        try descend()
        var members: [Object.Element] = []
        skipSpace()
        if take(UInt8(ascii: "}")) {
            depth -= 1
            return .object(Object())
        }
        members.reserveCapacity(4)
        // Names that come in order, as Waybill writes them, are compared as bytes and need no sorting.
        var isSorted = true
        var nameBefore = UnsafeRawBufferPointer(start: nil, count: 0)
        while true {
            guard position < bytes.count, bytes[position] == UInt8(ascii: "\"") else {
                throw unexpected("a member name in quotes")
            }
            let nameStart = position + 1
            let name = try string()
            let spelling = UnsafeRawBufferPointer(rebasing: bytes[nameStart..<(position - 1)])
            if isSorted {
                let isPlain = spelling.count == name.utf8.count
                isSorted = isPlain && (members.isEmpty || Self.precedes(nameBefore, spelling))
                nameBefore = spelling
            }
            skipSpace()
            guard take(UInt8(ascii: ":")) else { throw unexpected("':'") }
            skipSpace()
            members.append((name, try value()))
            skipSpace()
            if take(UInt8(ascii: ",")) {
                skipSpace()
            } else if take(UInt8(ascii: "}")) {
                break
            } else {
                throw unexpected("',' or '}'")
            }
        }
        depth -= 1
        if isSorted { return .object(Object(sorted: members)) }
        isCompact = false
        let (object, duplicate) = Object.strict(members)
        if let duplicate, !limits.allowsDuplicateMembers {
            throw Failure(
                code: .duplicate, message: "the member \"\(duplicate)\" is there twice in one object", offset: start)
        }
        return .object(object)
    }

    /// Whether the bytes of a name come before those of another.
    private static func precedes(_ left: UnsafeRawBufferPointer, _ right: UnsafeRawBufferPointer) -> Bool {
        let count = min(left.count, right.count)
        for index in 0..<count where left[index] != right[index] { return left[index] < right[index] }
        return left.count < right.count
    }

    private mutating func descend() throws(Failure) {
        guard depth < limits.depth else {
            throw Failure(code: .depth, message: "nested more than \(limits.depth) levels deep", offset: position)
        }
        depth += 1
        position += 1
    }

    // MARK: Numbers

    private mutating func number() throws(Failure) -> Value {
        let start = position
        let isNegative = take(UInt8(ascii: "-"))
        if isNegative { isCompact = false }
        var mantissa: UInt64 = 0
        var isExact = true
        try digits(into: &mantissa, exact: &isExact, allowsLeadingZero: false)
        var exponent = 0
        var isInteger = true
        if take(UInt8(ascii: ".")) {
            isInteger = false
            let before = position
            try digits(into: &mantissa, exact: &isExact, allowsLeadingZero: true)
            exponent = before - position
        }
        if position < bytes.count, bytes[position] | 0x20 == UInt8(ascii: "e") {
            isInteger = false
            position += 1
            let isMinus = take(UInt8(ascii: "-"))
            if !isMinus { _ = take(UInt8(ascii: "+")) }
            var power: UInt64 = 0
            var fits = true
            try digits(into: &power, exact: &fits, allowsLeadingZero: true)
            // Beyond a million the fast path is out of the question, and the sum below cannot overflow.
            let bounded = fits ? Int(min(power, 1_000_000)) : 1_000_000
            exponent += isMinus ? -bounded : bounded
        }
        if isInteger && isExact {
            if isNegative, mantissa <= UInt64(Int64.max) + 1 { return .int(Int64(truncatingIfNeeded: 0 &- mantissa)) }
            if !isNegative, mantissa <= UInt64(Int64.max) { return .int(Int64(mantissa)) }
        }
        isCompact = false
        if isExact, mantissa < 1 << 53, abs(exponent) <= 22 {
            // Both operands are exact doubles, so one rounding gives the nearest double
            // (W. D. Clinger, "How to Read Floating Point Numbers Accurately", PLDI 1990).
            let scale = Self.powersOfTen[abs(exponent)]
            let magnitude = exponent < 0 ? Double(mantissa) / scale : Double(mantissa) * scale
            return .double(isNegative ? -magnitude : magnitude)
        }
        return .double(try slowDouble(from: start))
    }

    private mutating func digits(
        into value: inout UInt64, exact: inout Bool, allowsLeadingZero: Bool
    ) throws(Failure) {
        let start = position
        while position < bytes.count {
            let digit = bytes[position] &- UInt8(ascii: "0")
            guard digit <= 9 else { break }
            let (product, overflowed) = value.multipliedReportingOverflow(by: 10)
            let (sum, carried) = product.addingReportingOverflow(UInt64(digit))
            if overflowed || carried { exact = false } else { value = sum }
            position += 1
        }
        if position == start { throw unexpected("a digit") }
        if !allowsLeadingZero, position - start > 1, bytes[start] == UInt8(ascii: "0") {
            throw Failure(code: .syntax, message: "a number may not begin with a superfluous 0", offset: start)
        }
    }

    private func slowDouble(from start: Int) throws(Failure) -> Double {
        let text = String(decoding: bytes[start..<position], as: UTF8.self)
        guard let value = Double(text), value.isFinite else {
            throw Failure(code: .number, message: "the number is beyond the range of a double", offset: start)
        }
        return value
    }

    private static let powersOfTen: [Double] = [
        1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19,
        1e20, 1e21, 1e22,
    ]

    // MARK: Strings

    private mutating func string() throws(Failure) -> String {
        position += 1
        let start = position
        skipPlain()
        var isASCII = true
        while position < bytes.count {
            let byte = bytes[position]
            if byte == UInt8(ascii: "\"") {
                let text = try text(start..<position, isASCII: isASCII)
                position += 1
                return text
            }
            if byte == UInt8(ascii: "\\") { return try escapedString(from: start) }
            if byte < 0x20 { throw controlCharacter() }
            if byte >= 0x80 { isASCII = false }
            position += 1
        }
        throw unterminated(start)
    }

    /// Skips printable ASCII but for quotes and backslashes, eight bytes at a time (H. S. Warren, "Hacker's Delight",
    /// section 6-1: find a zero byte).
    private mutating func skipPlain() {
        let low: UInt64 = 0x0101_0101_0101_0101
        while position + 8 <= bytes.count {
            let word = bytes.loadUnaligned(fromByteOffset: position, as: UInt64.self)
            let quotes = word ^ (low &* UInt64(UInt8(ascii: "\"")))
            let backslashes = word ^ (low &* UInt64(UInt8(ascii: "\\")))
            // A high bit in any of these stands for a byte that is no plain one, or follows one.
            let special = (quotes &- low) | (backslashes &- low) | (word &- low &* 0x20) | word
            if special & (low &* 0x80) != 0 { return }
            position += 8
        }
    }

    /// The slow form: copies what stands before, between and behind escapes.
    private mutating func escapedString(from start: Int) throws(Failure) -> String {
        isCompact = false
        scratch.removeAll(keepingCapacity: true)
        scratch.append(contentsOf: bytes[start..<position])
        while position < bytes.count {
            let byte = bytes[position]
            if byte == UInt8(ascii: "\"") {
                position += 1
                guard let text = String(validating: scratch, as: UTF8.self) else { throw notUTF8(start) }
                return text
            }
            if byte < 0x20 { throw controlCharacter() }
            position += 1
            if byte == UInt8(ascii: "\\") { try escape() } else { scratch.append(byte) }
        }
        throw unterminated(start)
    }

    private mutating func escape() throws(Failure) {
        guard position < bytes.count else { throw unterminated(position - 1) }
        let byte = bytes[position]
        position += 1
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): scratch.append(byte)
        case UInt8(ascii: "b"): scratch.append(0x08)
        case UInt8(ascii: "f"): scratch.append(0x0C)
        case UInt8(ascii: "n"): scratch.append(0x0A)
        case UInt8(ascii: "r"): scratch.append(0x0D)
        case UInt8(ascii: "t"): scratch.append(0x09)
        case UInt8(ascii: "u"): try unicodeEscape()
        default: throw Failure(code: .syntax, message: "unknown escape in a string", offset: position - 2)
        }
    }

    private mutating func unicodeEscape() throws(Failure) {
        let start = position - 2
        var code = try hexadecimal()
        if (0xD800..<0xDC00).contains(code), position + 1 < bytes.count, bytes[position] == UInt8(ascii: "\\"),
            bytes[position + 1] == UInt8(ascii: "u")
        {
            position += 2
            let low = try hexadecimal()
            guard (0xDC00..<0xE000).contains(low) else { throw loneSurrogate(start) }
            code = 0x10000 + (code - 0xD800) << 10 + (low - 0xDC00)
        }
        guard let scalar = Unicode.Scalar(code) else { throw loneSurrogate(start) }
        scratch.append(contentsOf: UTF8.encode(scalar).unsafelyUnwrapped)
    }

    private mutating func hexadecimal() throws(Failure) -> UInt32 {
        var code: UInt32 = 0
        for _ in 0..<4 {
            guard position < bytes.count, let digit = Character(Unicode.Scalar(bytes[position])).hexDigitValue else {
                throw unexpected("four hexadecimal digits")
            }
            code = code << 4 | UInt32(digit)
            position += 1
        }
        return code
    }

    private func text(_ range: Range<Int>, isASCII: Bool) throws(Failure) -> String {
        let run = UnsafeRawBufferPointer(rebasing: bytes[range])
        if isASCII {
            return String(unsafeUninitializedCapacity: run.count) { buffer in
                UnsafeMutableRawBufferPointer(buffer).copyMemory(from: run)
                return run.count
            }
        }
        guard let text = String(validating: run, as: UTF8.self) else { throw notUTF8(range.lowerBound) }
        return text
    }

    // MARK: Small steps

    private mutating func skipSpace() {
        while position < bytes.count {
            switch bytes[position] {
            case 0x20, 0x0A, 0x0D, 0x09:
                position += 1
                isCompact = false
            default: return
            }
        }
    }

    private mutating func take(_ byte: UInt8) -> Bool {
        guard position < bytes.count, bytes[position] == byte else { return false }
        position += 1
        return true
    }

    // MARK: Failures

    private func unexpected(_ wanted: String) -> Failure {
        let found =
            if position >= bytes.count {
                "the end of the document"
            } else if bytes[position] > 0x20 && bytes[position] < 0x7F {
                "'\(Character(Unicode.Scalar(bytes[position])))'"
            } else {
                "byte 0x\(String(bytes[position], radix: 16))"
            }
        return Failure(code: .syntax, message: "expected \(wanted), got \(found)", offset: position)
    }

    private func unterminated(_ start: Int) -> Failure {
        Failure(code: .syntax, message: "a string does not end", offset: max(0, start - 1))
    }

    private func controlCharacter() -> Failure {
        Failure(code: .syntax, message: "a control character in a string must be escaped", offset: position)
    }

    private func notUTF8(_ start: Int) -> Failure {
        Failure(code: .encoding, message: "a string is not UTF-8", offset: start)
    }

    private func loneSurrogate(_ start: Int) -> Failure {
        Failure(code: .surrogate, message: "an escape names half of a surrogate pair", offset: start)
    }
}

package import WaybillCore

// YAML 1.2.2, section 10.3.2 "Tag Resolution": a plain scalar that matches one of the patterns is null, a boolean,
// an integer or a float; every other scalar is a string. There is no `yes`, no `on`, and `0755` is seven hundred
// and fifty-five.

extension YAMLScalar {
    /// The value under the core schema.
    package var value: Value {
        switch tag {
        case .str: return .string(text)
        case nil where style != .plain: return .string(text)
        case .float:
            let value = plainValue
            return value.numberValue.map { .double($0) } ?? value
        default: return plainValue
        }
    }

    /// Whether the value is a string, without computing it for the usual case.
    package var isString: Bool {
        if tag == .str || (tag == nil && style != .plain) { return true }
        if case .string = plainValue { return true }
        return false
    }

    private var plainValue: Value {
        var text = text
        return text.withUTF8 { CoreSchema.value(of: $0) } ?? .string(self.text)
    }
}

/// The patterns of the core schema.
enum CoreSchema {
    /// The value of a plain scalar; nil for a string.
    static func value(of text: UnsafeBufferPointer<UInt8>) -> Value? {
        guard let first = text.first else { return .null }
        switch first {
        case UInt8(ascii: "~"): return text.count == 1 ? .null : nil
        case UInt8(ascii: "n"), UInt8(ascii: "N"):
            return isOne(of: ["null", "Null", "NULL"], text) ? .null : nil
        case UInt8(ascii: "t"), UInt8(ascii: "T"):
            return isOne(of: ["true", "True", "TRUE"], text) ? .bool(true) : nil
        case UInt8(ascii: "f"), UInt8(ascii: "F"):
            return isOne(of: ["false", "False", "FALSE"], text) ? .bool(false) : nil
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "+"), UInt8(ascii: "."):
            return number(text)
        default: return nil
        }
    }

    private static func isOne(of words: [StaticString], _ text: UnsafeBufferPointer<UInt8>) -> Bool {
        words.contains { word in
            word.utf8CodeUnitCount == text.count
                && UnsafeBufferPointer(start: word.utf8Start, count: word.utf8CodeUnitCount).elementsEqual(text)
        }
    }

    private static func number(_ text: UnsafeBufferPointer<UInt8>) -> Value? {
        if text.count > 2, text[0] == UInt8(ascii: "0"), let radix = radix(text[1]) {
            let digits = text[2...]
            guard digits.allSatisfy({ isDigit($0, radix: radix) }) else { return nil }
            return integer(digits, radix: radix)
        }
        let isSigned = text[0] == UInt8(ascii: "-") || text[0] == UInt8(ascii: "+")
        let body = text[(isSigned ? 1 : 0)...]
        if isOne(of: [".inf", ".Inf", ".INF"], UnsafeBufferPointer(rebasing: body)) {
            return .double(text[0] == UInt8(ascii: "-") ? -.infinity : .infinity)
        }
        if !isSigned && isOne(of: [".nan", ".NaN", ".NAN"], text) { return .double(.nan) }
        if !body.isEmpty && body.allSatisfy({ isDigit($0, radix: 10) }) { return integer(text[...], radix: 10) }
        return isFloat(body) ? Double(String(decoding: text, as: UTF8.self)).map { .double($0) } : nil
    }

    private static func radix(_ letter: UInt8) -> Int? {
        switch letter {
        case UInt8(ascii: "o"): 8
        case UInt8(ascii: "x"): 16
        default: nil
        }
    }

    private static func isDigit(_ byte: UInt8, radix: Int) -> Bool {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "7"): true
        case UInt8(ascii: "8"), UInt8(ascii: "9"): radix > 8
        case UInt8(ascii: "a")...UInt8(ascii: "f"), UInt8(ascii: "A")...UInt8(ascii: "F"): radix == 16
        default: false
        }
    }

    /// An integer, or the nearest double where 64 bits do not hold it.
    private static func integer(_ digits: Slice<UnsafeBufferPointer<UInt8>>, radix: Int) -> Value? {
        let text = String(decoding: digits, as: UTF8.self)
        if let value = Int64(text, radix: radix) { return .int(value) }
        return Double(radix == 16 ? "0x\(text)" : text).map { .double($0) }
    }

    /// `( \. [0-9]+ | [0-9]+ ( \. [0-9]* )? ) ( [eE] [-+]? [0-9]+ )?`
    private static func isFloat(_ body: Slice<UnsafeBufferPointer<UInt8>>) -> Bool {
        var rest = body
        let whole = digits(&rest)
        var fraction = 0
        if rest.first == UInt8(ascii: ".") {
            rest = rest.dropFirst()
            fraction = digits(&rest)
        }
        guard whole + fraction > 0 else { return false }
        guard let mark = rest.first else { return true }
        guard mark == UInt8(ascii: "e") || mark == UInt8(ascii: "E") else { return false }
        rest = rest.dropFirst()
        if rest.first == UInt8(ascii: "-") || rest.first == UInt8(ascii: "+") { rest = rest.dropFirst() }
        return digits(&rest) > 0 && rest.isEmpty
    }

    private static func digits(_ rest: inout Slice<UnsafeBufferPointer<UInt8>>) -> Int {
        let before = rest.count
        rest = rest.drop { isDigit($0, radix: 10) }
        return before - rest.count
    }
}

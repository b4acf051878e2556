/// Writes JSON member by member, in the order of the calls, on one line or pretty.
///
/// The caller keeps objects and lists balanced and names every member of an object:
/// ```swift
/// var writer = JSONWriter()
/// writer.beginObject()
/// writer.member("seq", 17)
/// writer.endObject()
/// let line = writer.finish()
/// ```
package struct JSONWriter {
    package enum Style: Sendable {
        /// One line, no space.
        case compact
        /// Two-space indent and a final newline.
        case pretty
    }

    /// Compact also within a pretty writer's member on one line.
    private var style: Style
    private var bytes: [UInt8] = []
    private var depth = 0
    /// Whether a value stands before the next one in the innermost list or object.
    private var needsComma = false
    /// Whether a member's name was just written, so that its value follows on the same line.
    private var isAfterName = false

    /// - Parameter capacity: for how many bytes there is room before more has to be found.
    package init(style: Style = .compact, capacity: Int = 0) {
        self.style = style
        if capacity > 0 { bytes.reserveCapacity(capacity) }
    }

    /// What was written, in pretty style with its final newline.
    package consuming func finish() -> [UInt8] {
        precondition(depth == 0, "an object or a list was not closed")
        if style == .pretty { bytes.append(UInt8(ascii: "\n")) }
        return bytes
    }

    // MARK: Structure

    package mutating func beginObject() { open(UInt8(ascii: "{")) }
    package mutating func endObject() { close(UInt8(ascii: "}")) }
    package mutating func beginList() { open(UInt8(ascii: "[")) }
    package mutating func endList() { close(UInt8(ascii: "]")) }

    package mutating func name(_ name: String) {
        separate()
        writeString(name)
        bytes.append(UInt8(ascii: ":"))
        if style == .pretty { bytes.append(UInt8(ascii: " ")) }
        isAfterName = true
    }

    // MARK: Values

    package mutating func value(_ value: Value) {
        switch value {
        case .null: word("null")
        case .bool(let value): self.value(value)
        case .int(let value): self.value(value)
        case .double(let value): self.value(value)
        case .string(let value): self.value(value)
        case .list(let elements):
            beginList()
            for element in elements { self.value(element) }
            endList()
        case .object(let object): self.value(object)
        }
    }

    package mutating func value(_ object: Object) {
        beginObject()
        for (key, value) in object {
            name(key)
            self.value(value)
        }
        endObject()
    }

    package mutating func value(_ text: String) {
        separate()
        writeString(text)
    }

    package mutating func value(_ flag: Bool) { word(flag ? "true" : "false") }

    package mutating func value(_ number: some FixedWidthInteger) {
        separate()
        bytes.append(integer: number)
    }

    /// Infinities and NaN become `null`.
    package mutating func value(_ number: Double) {
        guard number.isFinite else { return word("null") }
        separate()
        bytes.append(double: number, keepsFraction: true)
    }

    // MARK: Members

    package mutating func member(_ name: String, _ value: Value) {
        self.name(name)
        self.value(value)
    }

    package mutating func member(_ name: String, _ value: Object) {
        self.name(name)
        self.value(value)
    }

    /// A member that stands on one line also where the others do not: what programs read, and people seldom.
    package mutating func member(_ name: String, onOneLine value: Object) {
        self.name(name)
        let outer = style
        style = .compact
        self.value(value)
        style = outer
    }

    /// A nil is written as `null`.
    package mutating func member(_ name: String, _ value: String?) {
        self.name(name)
        if let value { self.value(value) } else { word("null") }
    }

    /// A nil is written as `null`.
    package mutating func member(_ name: String, _ value: Int?) {
        self.name(name)
        if let value { self.value(value) } else { word("null") }
    }

    /// A nil is written as `null`.
    package mutating func member(_ name: String, _ value: Bool?) {
        self.name(name)
        if let value { self.value(value) } else { word("null") }
    }

    /// A nil is written as `null`.
    package mutating func member(_ name: String, _ value: Double?) {
        self.name(name)
        if let value { self.value(value) } else { word("null") }
    }

    /// Written as a string, in its one spelling.
    package mutating func member(_ name: String, _ time: Timestamp) {
        self.name(name)
        plainString { time.append(to: &$0) }
    }

    /// Written as a string of hexadecimal digits.
    package mutating func member(_ name: String, _ digest: Digest) {
        self.name(name)
        plainString { digest.append(to: &$0) }
    }

    // MARK: Bytes

    /// A string of bytes of which none has to be escaped.
    private mutating func plainString(_ write: (inout [UInt8]) -> Void) {
        separate()
        bytes.append(UInt8(ascii: "\""))
        write(&bytes)
        bytes.append(UInt8(ascii: "\""))
    }

    private mutating func open(_ bracket: UInt8) {
        separate()
        bytes.append(bracket)
        depth += 1
        needsComma = false
    }

    private mutating func close(_ bracket: UInt8) {
        depth -= 1
        if needsComma { newline() }
        bytes.append(bracket)
        needsComma = true
    }

    private mutating func separate() {
        if isAfterName {
            isAfterName = false
        } else {
            if needsComma { bytes.append(UInt8(ascii: ",")) }
            if depth > 0 { newline() }
        }
        needsComma = true
    }

    private mutating func newline() {
        guard style == .pretty else { return }
        bytes.append(UInt8(ascii: "\n"))
        for _ in 0..<depth { bytes.append(contentsOf: [0x20, 0x20]) }
    }

    private mutating func word(_ text: StaticString) {
        separate()
        bytes.append(contentsOf: UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
    }

    private mutating func writeString(_ text: String) { bytes.append(quoted: text) }
}

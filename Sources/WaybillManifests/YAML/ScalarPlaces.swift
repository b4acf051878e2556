/// Maps offsets in a scalar's text to places in the file, through escapes, folding and block indentation.
///
/// It walks source and text side by side, when a place is asked for and not before.
package struct ScalarPlaces: Sendable {
    private let source: [UInt8]
    private let text: String
    private let style: YAMLScalarStyle
    private let mark: YAMLMark

    /// - Parameters:
    ///   - source: the whole file.
    ///   - mark: where the scalar begins.
    package init(source: [UInt8], scalar: YAMLScalar, mark: YAMLMark) {
        self.source = source
        self.text = scalar.text
        self.style = scalar.style
        self.mark = mark
    }

    /// The place of the character at an offset, in UTF-8 bytes of the scalar's text.
    package func mark(at offset: Int) -> YAMLMark {
        var text = text
        return text.withUTF8 { text in
            var walk = Walk(source: source, position: mark)
            walk.skipProperties()
            switch style {
            case .plain: walk.advance(text, to: offset, style: .plain)
            case .singleQuoted, .doubleQuoted:
                walk.step()
                walk.advance(text, to: offset, style: style)
            case .literal, .folded:
                walk.skipHeader()
                walk.advanceBlock(text, to: offset)
            }
            return walk.mark
        }
    }
}

/// A position in the source that only moves forward.
private struct Walk {
    let source: [UInt8]
    var index: Int
    private var line: UInt32
    private var column: UInt32
    private var offset: UInt32

    var mark: YAMLMark { YAMLMark(line: line, column: column, offset: offset) }
    var byte: UInt8? { index < source.count ? source[index] : nil }
    private var isAtBreak: Bool { byte == UInt8(ascii: "\n") || byte == UInt8(ascii: "\r") }
    private var isAtBlank: Bool { byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t") }

    init(source: [UInt8], position: YAMLMark) {
        self.source = source
        index = source.starts(with: [0xEF, 0xBB, 0xBF]) ? 3 : 0
        line = 1
        column = 1
        offset = 0
        while index < source.count && offset < position.offset { step() }
    }

    /// One code point on; a carriage return with its line feed is one line break.
    mutating func step() {
        guard let byte else { return }
        index += 1
        offset += 1
        if byte == UInt8(ascii: "\n") || (byte == UInt8(ascii: "\r") && self.byte != UInt8(ascii: "\n")) {
            line += 1
            column = 1
        } else {
            column += 1
            while let next = self.byte, next & 0xC0 == 0x80 { index += 1 }
        }
    }

    /// Skips anchors and tags before the scalar.
    mutating func skipProperties() {
        while byte == UInt8(ascii: "&") || byte == UInt8(ascii: "!") {
            while byte != nil, !isAtBreak, !isAtBlank { step() }
            skipWhitespace()
        }
    }

    /// Skips `|`, `>` and their indicators up to the next line.
    mutating func skipHeader() {
        while byte != nil, !isAtBreak { step() }
        skipBreak()
    }

    private mutating func skipWhitespace() {
        while isAtBreak || isAtBlank { step() }
    }

    private mutating func skipBreak() {
        if byte == UInt8(ascii: "\r") { step() }
        if byte == UInt8(ascii: "\n") { step() }
    }

    /// Walks through a plain or quoted scalar.
    mutating func advance(_ text: UnsafeBufferPointer<UInt8>, to end: Int, style: YAMLScalarStyle) {
        var at = 0
        while at < end, at < text.count, byte != nil {
            if isAtBreak {
                // A folded break: all white space of the source stands for all white space of the text.
                skipWhitespace()
                while at < text.count, text[at] == UInt8(ascii: " ") || text[at] == UInt8(ascii: "\n") { at += 1 }
                if at > end { return }
            } else if style == .doubleQuoted, byte == UInt8(ascii: "\\") {
                if skipEscape() { at = next(text, at) }
            } else if isAtBlank, text[at] != byte {
                step()
            } else {
                if style == .singleQuoted, byte == UInt8(ascii: "'") { step() }
                step()
                at = next(text, at)
            }
        }
        if isAtBreak, style != .doubleQuoted, at < text.count { skipWhitespace() }
    }

    /// Skips an escape sequence; false for an escaped line break, which stands for nothing.
    private mutating func skipEscape() -> Bool {
        step()
        if isAtBreak {
            skipWhitespace()
            return false
        }
        let digits =
            switch byte {
            case UInt8(ascii: "x"): 2
            case UInt8(ascii: "u"): 4
            case UInt8(ascii: "U"): 8
            default: 0
            }
        for _ in 0...digits { step() }
        return true
    }

    /// Walks through a block scalar, whose lines stand behind one common indentation.
    mutating func advanceBlock(_ text: UnsafeBufferPointer<UInt8>, to end: Int) {
        let indentation = blockIndentation(text)
        skipIndentation(indentation)
        var at = 0
        while at < end, at < text.count, byte != nil {
            if isAtBreak {
                if text[at] == UInt8(ascii: "\n") || text[at] == UInt8(ascii: " ") { at += 1 }
                skipBreak()
                // Folding drops one of several breaks.
                while at < text.count, text[at] != UInt8(ascii: "\n"), isAtBreak { skipBreak() }
                skipIndentation(indentation)
            } else {
                step()
                at = next(text, at)
            }
        }
    }

    private mutating func skipIndentation(_ count: Int) {
        var left = count
        while left > 0, byte == UInt8(ascii: " ") {
            step()
            left -= 1
        }
    }

    /// The blanks before the first line that is not empty, without those that belong to the text.
    private func blockIndentation(_ text: UnsafeBufferPointer<UInt8>) -> Int {
        var walk = self
        var blanks = 0
        while let byte = walk.byte {
            if walk.isAtBreak { blanks = 0 } else if byte == UInt8(ascii: " ") { blanks += 1 } else { break }
            walk.step()
        }
        let body = text.drop { $0 == UInt8(ascii: "\n") }
        return max(0, blanks - body.prefix { $0 == UInt8(ascii: " ") }.count)
    }

    /// The offset of the code point after the one at `at`.
    private func next(_ text: UnsafeBufferPointer<UInt8>, _ at: Int) -> Int {
        var at = at + 1
        while at < text.count, text[at] & 0xC0 == 0x80 { at += 1 }
        return at
    }
}

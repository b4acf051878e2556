import WaybillCore
import WaybillExpressions

/// The lines of a file, to find the bytes a mark stands for.
struct SourceLines {
    let bytes: [UInt8]
    /// Where each line begins.
    private let starts: [Int]

    init(_ bytes: [UInt8]) {
        self.bytes = bytes
        var starts = [bytes.starts(with: [0xEF, 0xBB, 0xBF]) ? 3 : 0]
        for index in bytes.indices {
            let isLast = index + 1 == bytes.count
            let isReturn = bytes[index] == UInt8(ascii: "\r") && (isLast || bytes[index + 1] != UInt8(ascii: "\n"))
            if bytes[index] == UInt8(ascii: "\n") || isReturn { starts.append(index + 1) }
        }
        self.starts = starts
    }

    /// Where a line begins, counted from 1.
    func start(of line: UInt32) -> Int {
        let index = Int(line) - 1
        return starts.indices.contains(index) ? starts[index] : bytes.count
    }
}

/// Maps offsets in a scalar's text to places in the file, through escapes, folding and block indentation.
enum ScalarPlaces {
    /// - Parameters:
    ///   - lines: the whole file.
    ///   - file: its name.
    ///   - mark: where the scalar begins.
    static func map(of scalar: YAMLScalar, at mark: YAMLMark, in lines: SourceLines, file: String) -> PlaceMap {
        var text = scalar.text
        let segments = text.withUTF8 { text in
            var walk = Walk(lines: lines, position: mark)
            walk.skipProperties()
            switch scalar.style {
            case .plain: walk.advance(text, style: .plain)
            case .singleQuoted, .doubleQuoted:
                walk.step()
                walk.advance(text, style: scalar.style)
            case .literal, .folded:
                walk.skipHeader()
                walk.advanceBlock(text)
            }
            return walk.segments
        }
        return PlaceMap(
            text: scalar.text,
            segments: segments.map { segment in
                PlaceMap.Segment(
                    offset: segment.offset,
                    place: SourcePlace(file: file, line: Int(segment.line), column: Int(segment.column)))
            })
    }
}

/// Walks through source and text side by side; the source only moves forward.
private struct Walk {
    struct Segment {
        var offset: Int
        var line: UInt32
        var column: UInt32
    }

    private let source: [UInt8]
    private var index: Int
    private var line: UInt32
    private var column: UInt32 = 1
    private(set) var segments: [Segment] = []
    /// Where the next character of the text stands if nothing comes between.
    private var expected: (line: UInt32, column: UInt32) = (0, 0)

    private var byte: UInt8? { index < source.count ? source[index] : nil }
    private var isAtBreak: Bool { byte == UInt8(ascii: "\n") || byte == UInt8(ascii: "\r") }
    private var isAtBlank: Bool { byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t") }

    init(lines: SourceLines, position: YAMLMark) {
        source = lines.bytes
        index = lines.start(of: position.line)
        line = position.line
        while index < source.count && column < position.column { step() }
    }

    /// Says that the text's character at an offset stands here.
    private mutating func note(_ offset: Int) {
        if expected != (line, column) { segments.append(Segment(offset: offset, line: line, column: column)) }
        expected = (line, column + 1)
    }

    /// One code point on; a carriage return with its line feed is one line break.
    mutating func step() {
        guard let byte else { return }
        index += 1
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
    mutating func advance(_ text: UnsafeBufferPointer<UInt8>, style: YAMLScalarStyle) {
        var at = 0
        while at < text.count, byte != nil {
            if isAtBreak {
                // A folded break: all white space of the source stands for all white space of the text.
                note(at)
                skipWhitespace()
                while at < text.count, text[at] == UInt8(ascii: " ") || text[at] == UInt8(ascii: "\n") { at += 1 }
            } else if style == .doubleQuoted, byte == UInt8(ascii: "\\") {
                note(at)
                if skipEscape() { at = next(text, at) }
            } else if isAtBlank, text[at] != byte {
                step()
            } else {
                note(at)
                if style == .singleQuoted, byte == UInt8(ascii: "'") { step() }
                step()
                at = next(text, at)
            }
        }
        note(at)
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
    mutating func advanceBlock(_ text: UnsafeBufferPointer<UInt8>) {
        let indentation = blockIndentation(text)
        skipIndentation(indentation)
        var at = 0
        while at < text.count, byte != nil {
            note(at)
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
        note(at)
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

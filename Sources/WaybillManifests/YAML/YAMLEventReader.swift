private import CLibYAML

/// Pulls events out of a text through libyaml. It owns a copy of the text and the parser, and frees both.
package final class YAMLEventReader {
    private let parser: UnsafeMutablePointer<yaml_parser_t>
    private let text: UnsafeMutableBufferPointer<UInt8>
    /// Where the text begins behind a byte order mark, which would otherwise count as a column.
    private let body: Int
    private var isOver = false

    package init(_ bytes: [UInt8]) {
        text = .allocate(capacity: bytes.count)
        _ = text.initialize(from: bytes)
        body = bytes.starts(with: [0xEF, 0xBB, 0xBF]) ? 3 : 0
        parser = .allocate(capacity: 1)
        parser.initialize(to: yaml_parser_t())
        // It fails only without memory; the parser is zeroed then, and the first event reports it.
        guard yaml_parser_initialize(parser) == 1 else { return }
        yaml_parser_set_encoding(parser, YAML_UTF8_ENCODING)
        yaml_parser_set_input_string(parser, text.baseAddress.map { UnsafePointer($0) + body }, text.count - body)
    }

    deinit {
        yaml_parser_delete(parser)
        parser.deallocate()
        text.deallocate()
    }

    /// The next event; after `streamEnd` or an error there is none.
    ///
    /// - Throws: a syntax error with libyaml's words and a hint, or bytes that are not UTF-8.
    package func next() throws(YAMLError) -> YAMLEvent? {
        if isOver { return nil }
        var event = yaml_event_t()
        guard yaml_parser_parse(parser, &event) == 1 else {
            isOver = true
            throw failure()
        }
        defer { yaml_event_delete(&event) }
        let kind = Self.kind(of: event)
        if case .streamEnd = kind { isOver = true }
        let length = event.end_mark.index - event.start_mark.index
        return YAMLEvent(kind: kind, mark: YAMLMark(event.start_mark), length: length)
    }

    private static func kind(of event: yaml_event_t) -> YAMLEvent.Kind {
        switch event.type {
        case YAML_SCALAR_EVENT:
            let scalar = event.data.scalar
            let bytes = UnsafeBufferPointer(start: scalar.value, count: scalar.length)
            return .scalar(
                String(decoding: bytes, as: UTF8.self), YAMLScalarStyle(scalar.style),
                properties(scalar.anchor, scalar.tag))
        case YAML_MAPPING_START_EVENT:
            let start = event.data.mapping_start
            return .mappingStart(
                isFlow: start.style == YAML_FLOW_MAPPING_STYLE, properties(start.anchor, start.tag))
        case YAML_MAPPING_END_EVENT: return .mappingEnd
        case YAML_SEQUENCE_START_EVENT:
            let start = event.data.sequence_start
            return .sequenceStart(
                isFlow: start.style == YAML_FLOW_SEQUENCE_STYLE, properties(start.anchor, start.tag))
        case YAML_SEQUENCE_END_EVENT: return .sequenceEnd
        case YAML_ALIAS_EVENT: return .alias(String(cString: event.data.alias.anchor))
        case YAML_DOCUMENT_START_EVENT: return .documentStart(isExplicit: event.data.document_start.implicit == 0)
        case YAML_DOCUMENT_END_EVENT: return .documentEnd(isExplicit: event.data.document_end.implicit == 0)
        case YAML_STREAM_START_EVENT: return .streamStart
        default: return .streamEnd
        }
    }

    private static func properties(
        _ anchor: UnsafeMutablePointer<yaml_char_t>?, _ tag: UnsafeMutablePointer<yaml_char_t>?
    ) -> YAMLEvent.Properties {
        if anchor == nil && tag == nil { return YAMLEvent.Properties() }
        return YAMLEvent.Properties(
            anchor: anchor.map { String(cString: $0) }, tag: tag.map { String(cString: $0) })
    }

    private func failure() -> YAMLError {
        switch parser.pointee.error {
        case YAML_READER_ERROR: return readerFailure()
        case YAML_SCANNER_ERROR, YAML_PARSER_ERROR: return syntaxFailure()
        default: return YAMLError(.limit, "no memory left to read the text", at: .start)
        }
    }

    private func readerFailure() -> YAMLError {
        let offset = min(body + parser.pointee.problem_offset, text.count)
        let mark = YAMLMark(atByte: offset, in: text[body...])
        let problem = parser.pointee.problem.map { String(cString: $0) } ?? "unreadable text"
        if problem.hasPrefix("control characters") {
            let code = String(parser.pointee.problem_value, radix: 16, uppercase: true)
            return YAMLError(
                .encoding,
                "the control character U+\(String(repeating: "0", count: max(0, 4 - code.count)))\(code) is not allowed",
                at: mark, hint: "write it as an escape in double quotes")
        }
        return YAMLError(.encoding, "the text is not UTF-8 (\(problem))", at: mark, hint: "save the file as UTF-8")
    }

    private func syntaxFailure() -> YAMLError {
        let problem = parser.pointee.problem.map { String(cString: $0) } ?? "the text is not YAML"
        let mark = YAMLMark(parser.pointee.problem_mark)
        var message = problem
        if let context = parser.pointee.context {
            message += " \(String(cString: context))"
            let from = YAMLMark(parser.pointee.context_mark)
            // Where both marks agree the second place tells nothing.
            if from.line != mark.line { message += " that begins in line \(from.line)" }
        }
        return YAMLError(.syntax, message, at: mark, hint: YAMLHint.hint(for: problem, line: line(mark), mark: mark))
    }

    /// The source line a mark points into, for a hint.
    private func line(_ mark: YAMLMark) -> String {
        let lines = text[body...].split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
        let index = Int(mark.line) - 1
        return lines.indices.contains(index) ? String(decoding: lines[index], as: UTF8.self) : ""
    }
}

extension YAMLMark {
    fileprivate init(_ mark: yaml_mark_t) {
        self.init(
            line: UInt32(clamping: mark.line + 1), column: UInt32(clamping: mark.column + 1),
            offset: UInt32(clamping: mark.index))
    }

    /// Counts lines and columns up to a byte.
    fileprivate init(atByte end: Int, in text: Slice<UnsafeMutableBufferPointer<UInt8>>) {
        var line: UInt32 = 1
        var column: UInt32 = 1
        var offset: UInt32 = 0
        for index in text.startIndex..<end where text[index] & 0xC0 != 0x80 {
            offset += 1
            column += 1
            if text[index] == UInt8(ascii: "\n") {
                line += 1
                column = 1
            }
        }
        self.init(line: line, column: column, offset: offset)
    }
}

extension YAMLScalarStyle {
    fileprivate init(_ style: yaml_scalar_style_t) {
        self =
            switch style {
            case YAML_SINGLE_QUOTED_SCALAR_STYLE: .singleQuoted
            case YAML_DOUBLE_QUOTED_SCALAR_STYLE: .doubleQuoted
            case YAML_LITERAL_SCALAR_STYLE: .literal
            case YAML_FOLDED_SCALAR_STYLE: .folded
            default: .plain
            }
    }
}

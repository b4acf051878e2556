package import WaybillCore

/// What is wrong in a YAML text, and where.
package struct YAMLError: Error, Hashable, Sendable {
    /// The rule that was broken.
    package enum Code: String, Sendable {
        case syntax, encoding, limit, duplicateKey, mergeKey, tag, alias, key, number, documents
    }

    package let code: Code
    package let message: String
    package let mark: YAMLMark
    package let hint: String?

    package init(_ code: Code, _ message: String, at mark: YAMLMark, hint: String? = nil) {
        self.code = code
        self.message = message
        self.mark = mark
        self.hint = hint
    }

    static func tooLarge(_ count: Int, limit: Int) -> YAMLError {
        YAMLError(.limit, "the text is \(count) bytes long, more than the \(limit) allowed", at: .start)
    }

    /// The problem as a diagnostic about a file.
    package func diagnostic(in file: String) -> Diagnostic {
        Diagnostic(level: .error, kind: .manifest, message: message, place: mark.place(in: file), hint: hint)
    }
}

/// A position in a YAML text.
package struct YAMLMark: Hashable, Sendable {
    /// Both count from 1; columns count code points.
    package let line: UInt32
    package let column: UInt32
    /// Code points before the position, without a byte order mark.
    package let offset: UInt32

    package init(line: UInt32, column: UInt32, offset: UInt32) {
        self.line = line
        self.column = column
        self.offset = offset
    }

    package static let start = YAMLMark(line: 1, column: 1, offset: 0)

    package func place(in file: String) -> SourcePlace {
        SourcePlace(file: file, line: Int(line), column: Int(column))
    }
}

/// Something a person should know about a tree, a run or a machine, with the place it is about.
package struct Diagnostic: Hashable, Sendable {
    package enum Level: String, Sendable, CaseIterable {
        case error, warning, note
    }

    /// Which promise is touched; `--strict` promotes warnings of `requirement` and `contract` to errors.
    package enum Kind: String, Sendable, CaseIterable {
        case manifest, requirement, contract, policy, resume, executor
    }

    package var level: Level
    package var kind: Kind
    package var message: String
    package var place: SourcePlace?
    /// What to do about it, one sentence.
    package var hint: String?

    package init(
        level: Level = .error, kind: Kind = .manifest, message: String, place: SourcePlace? = nil, hint: String? = nil
    ) {
        self.level = level
        self.kind = kind
        self.message = message
        self.place = place
        self.hint = hint
    }
}

extension Diagnostic {
    /// `file:line:column: error: message`, and the hint on a line of its own.
    package var text: String {
        var text = place.map { "\($0): " } ?? ""
        text += "\(level.rawValue): \(message)"
        if let hint { text += "\n  hint: \(hint)" }
        return text
    }

    /// The contract's members: level, kind, message, file, line, column, hint; what is unknown is null.
    package var value: Value {
        [
            "level": .string(level.rawValue),
            "kind": .string(kind.rawValue),
            "message": .string(message),
            "file": place.map { .string($0.file) } ?? .null,
            "line": place.map { .int(Int64($0.line)) } ?? .null,
            "column": place.map { .int(Int64($0.column)) } ?? .null,
            "hint": hint.map { .string($0) } ?? .null,
        ]
    }
}

extension Diagnostic: CustomStringConvertible {
    package var description: String { text }
}

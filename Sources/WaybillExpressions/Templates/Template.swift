package import WaybillCore

/// A value of a manifest in which expressions may stand between `${{` and `}}`.
package indirect enum Template: Hashable, Sendable {
    case constant(Value)
    /// A scalar that is exactly one expression keeps the value and its type.
    case expression(Expression)
    /// Inside a text, scalars are converted.
    case text([TextPart])
    case list([Template])
    case map([Entry])

    package enum TextPart: Hashable, Sendable {
        case text(String)
        case expression(Expression)
    }

    package struct Entry: Hashable, Sendable {
        package var key: String
        package var value: Template

        package init(key: String, value: Template) {
            self.key = key
            self.value = value
        }
    }
}

extension Template {
    /// Every expression in it, in order.
    package var expressions: [Expression] {
        switch self {
        case .constant: []
        case .expression(let expression): [expression]
        case .text(let parts):
            parts.compactMap { if case .expression(let expression) = $0 { expression } else { nil } }
        case .list(let items): items.flatMap(\.expressions)
        case .map(let entries): entries.flatMap(\.value.expressions)
        }
    }

    package var references: [Reference] { expressions.flatMap(\.references) }

    package var warnings: [Diagnostic] { expressions.flatMap(\.warnings) }

    /// The value, where no expression has a say in it.
    package var constant: Value? {
        switch self {
        case .constant(let value): return value
        case .expression, .text: return nil
        case .list(let items):
            let values = items.compactMap(\.constant)
            return values.count == items.count ? .list(values) : nil
        case .map(let entries):
            let members = entries.compactMap { entry in entry.value.constant.map { (entry.key, $0) } }
            return members.count == entries.count ? .object(Object(members)) : nil
        }
    }

    /// The type of its values, as far as it is known.
    package var shape: TypeShape {
        switch self {
        case .constant(let value): TypeShape(of: value)
        case .expression(let expression): expression.shape
        case .text: .string
        case .list(let items):
            Set(items.map(\.shape)).count == 1 ? .list(items[0].shape) : .list(.dyn)
        case .map(let entries):
            .object(ObjectShape(fields: Dictionary(entries.map { ($0.key, $0.value.shape) }) { $1 }))
        }
    }
}

extension TypeShape {
    /// The shape of a value that is known.
    package init(of value: Value) {
        switch value {
        case .null: self = .null
        case .bool: self = .bool
        case .int: self = .int
        case .double: self = .double
        case .string: self = .string
        case .list(let items):
            let shapes = Set(items.map { TypeShape(of: $0) })
            self = .list(shapes.count == 1 ? shapes.first ?? .dyn : .dyn)
        case .object(let object):
            self = .object(Dictionary(object.map { ($0.key, TypeShape(of: $0.value)) }) { $1 })
        }
    }
}

// MARK: - Rendering

extension Template {
    /// The value with every expression evaluated; nil where it is `optional.none()`. Entries of maps and items of lists
    /// that are `optional.none()` are left out.
    package func value(in scope: any Scope, limit: CostLimit = .standard) throws(ExpressionError) -> Value? {
        switch self {
        case .constant(let value): return value
        case .expression(let expression): return try expression.value(in: scope, limit: limit)
        case .text(let parts): return .string(try Self.text(parts, in: scope, limit: limit))
        case .list(let items):
            var values: [Value] = []
            values.reserveCapacity(items.count)
            for item in items {
                if let value = try item.value(in: scope, limit: limit) { values.append(value) }
            }
            return .list(values)
        case .map(let entries):
            var members: [(String, Value)] = []
            members.reserveCapacity(entries.count)
            for entry in entries {
                if let value = try entry.value.value(in: scope, limit: limit) { members.append((entry.key, value)) }
            }
            return .object(Object(members))
        }
    }

    /// The value as a text, converted as inside a text even where it is one expression: for arguments of commands,
    /// environment variables and headers. nil where it is `optional.none()`.
    package func text(in scope: any Scope, limit: CostLimit = .standard) throws(ExpressionError) -> String? {
        switch self {
        case .text(let parts): return try Self.text(parts, in: scope, limit: limit)
        case .expression(let expression):
            let value = try expression.evaluate(in: scope, limit: limit)
            return value.isAbsent ? nil : try Self.text(of: value, expression)
        case .constant(let value):
            if let text = CELValue(value).embeddedText { return text }
        case .list, .map: break
        }
        let value = CELValue(constant ?? .null)
        throw ExpressionError(
            code: .notText, message: "\(value.typeWord) cannot stand where a text is wanted", values: value.summary)
    }

    private static func text(
        _ parts: [TextPart], in scope: any Scope, limit: CostLimit
    ) throws(ExpressionError) -> String {
        var result = ""
        for part in parts {
            switch part {
            case .text(let text): result += text
            case .expression(let expression):
                result += try text(of: try expression.evaluate(in: scope, limit: limit), expression)
            }
        }
        return result
    }

    private static func text(of value: CELValue, _ expression: Expression) throws(ExpressionError) -> String {
        if let text = value.embeddedText { return text }
        throw expression.placed(
            ExpressionError(
                code: .notText,
                message: "\(value.typeWord) cannot stand inside a text; json.encode() makes a text of it",
                values: value.summary))
    }
}

extension CELValue {
    /// A scalar as it stands inside a text; a double always has a fraction or an exponent, as in JSON.
    fileprivate var embeddedText: String? {
        switch self {
        case .double(let number) where number.isFinite:
            return String(decoding: JSON.compact(.double(number)), as: UTF8.self)
        case .optional(let inner?): return inner.embeddedText
        default: return scalarText
        }
    }
}

package import WaybillCore

/// Why an expression could not be read or evaluated.
///
/// Not an error: an optional without value, an empty list. A missing member is one, unless `.?` asked for it.
package struct ExpressionError: Error, Hashable, Sendable {
    package enum Code: String, Sendable {
        /// The text is no expression.
        case syntax
        /// No overload of a function or operator takes values of these types.
        case type
        case unknownName
        case unknownFunction
        case noSuchMember
        case indexOutOfRange
        case overflow
        case divideByZero
        /// A text that is no number, time or JSON, a number out of the range of the wanted type.
        case conversion
        /// An argument of the right type with a value that makes no sense here.
        case argument
        case duplicateKey
        case pattern
        case costLimit
        /// A condition whose value is no bool.
        case notCondition
        /// A value that cannot stand inside a text.
        case notText
        /// A value that JSON cannot hold.
        case notJSON
    }

    package var code: Code
    package var message: String
    /// In bytes of UTF-8 from the start of the expression's source.
    package var offset: Int
    /// The values involved, shortened, as expression literals: `"abc" + 3`.
    package var values: String?
    /// In the file the expression was read from, once the expression has added it.
    package var place: SourcePlace?

    package init(code: Code, message: String, offset: Int = 0, values: String? = nil) {
        self.code = code
        self.message = message
        self.offset = offset
        self.values = values
    }
}

extension ExpressionError: CustomStringConvertible {
    package var description: String { values.map { "\(message) (\($0))" } ?? message }
}

/// The values a function is called with; the receiver comes first.
struct Arguments {
    let values: [CELValue]
    let function: String
    /// Of the call, in the source.
    let offset: Int

    var count: Int { values.count }

    subscript(index: Int) -> CELValue { values[index] }

    func string(_ index: Int) throws(ExpressionError) -> String {
        guard case .string(let value) = values[index] else { throw wrongTypes() }
        return value
    }

    func int(_ index: Int) throws(ExpressionError) -> Int64 {
        guard case .int(let value) = values[index] else { throw wrongTypes() }
        return value
    }

    func list(_ index: Int) throws(ExpressionError) -> CELList {
        guard case .list(let value) = values[index] else { throw wrongTypes() }
        return value
    }

    func bytes(_ index: Int) throws(ExpressionError) -> [UInt8] {
        guard case .bytes(let value) = values[index] else { throw wrongTypes() }
        return value
    }

    func timestamp(_ index: Int) throws(ExpressionError) -> CELTimestamp {
        guard case .timestamp(let value) = values[index] else { throw wrongTypes() }
        return value
    }

    /// No overload takes values of these types.
    func wrongTypes() -> ExpressionError {
        let types = values.map(\.typeWord).joined(separator: ", ")
        return ExpressionError(
            code: .type, message: "\(function)() does not take \(types.isEmpty ? "nothing" : types)", offset: offset,
            values: summary)
    }

    /// A value of the right type makes no sense.
    func failure(_ code: ExpressionError.Code, _ message: String) -> ExpressionError {
        ExpressionError(code: code, message: "\(function)(): \(message)", offset: offset, values: summary)
    }

    private var summary: String { values.map(\.summary).joined(separator: ", ") }
}

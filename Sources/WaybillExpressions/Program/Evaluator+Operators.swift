extension Evaluator {
    mutating func apply(
        _ binary: BinaryOperator, _ left: CELValue, _ right: CELValue, _ offset: Int
    ) throws(ExpressionError) -> CELValue {
        switch binary {
        case .equal: return .bool(try areEqual(left, right))
        case .notEqual: return .bool(try !areEqual(left, right))
        case .less, .lessOrEqual, .greater, .greaterOrEqual:
            return .bool(try compare(binary, left, right, offset))
        case .within: return .bool(try isContained(left, in: right, offset))
        case .add: return try add(left, right, offset)
        default: break
        }
        switch (left, right) {
        case (.int(let a), .int(let b)): return try intArithmetic(binary, a, b, offset)
        case (.uint(let a), .uint(let b)): return try uintArithmetic(binary, a, b, offset)
        case (.double(let a), .double(let b)):
            switch binary {
            case .subtract: return .double(a - b)
            case .multiply: return .double(a * b)
            case .divide: return .double(a / b)
            default: throw noOverload(binary, left, right, offset)
            }
        case (.timestamp(let a), .timestamp(let b)) where binary == .subtract:
            return .duration(
                try inRange(
                    CELDuration(wholeNanoseconds: a.wholeNanoseconds - b.wholeNanoseconds), binary, left, right, offset)
            )
        case (.timestamp(let a), .duration(let b)) where binary == .subtract:
            return .timestamp(
                try inRange(
                    CELTimestamp(wholeNanoseconds: a.wholeNanoseconds - Int128(b.nanoseconds)), binary, left, right,
                    offset))
        case (.duration(let a), .duration(let b)) where binary == .subtract:
            let difference = Int128(a.nanoseconds) - Int128(b.nanoseconds)
            return .duration(try inRange(CELDuration(wholeNanoseconds: difference), binary, left, right, offset))
        default: throw noOverload(binary, left, right, offset)
        }
    }

    private mutating func add(
        _ left: CELValue, _ right: CELValue, _ offset: Int
    ) throws(ExpressionError) -> CELValue {
        switch (left, right) {
        case (.int(let a), .int(let b)): return try intArithmetic(.add, a, b, offset)
        case (.uint(let a), .uint(let b)): return try uintArithmetic(.add, a, b, offset)
        case (.double(let a), .double(let b)): return .double(a + b)
        case (.string(let a), .string(let b)):
            try charge(bytes: a.utf8.count + b.utf8.count)
            return .string(a + b)
        case (.bytes(let a), .bytes(let b)):
            try charge(bytes: a.count + b.count)
            return .bytes(a + b)
        case (.list(let a), .list(let b)):
            try charge(a.count + b.count)
            return .list(a.values + b.values)
        case (.timestamp(let a), .duration(let b)), (.duration(let b), .timestamp(let a)):
            let sum = CELTimestamp(wholeNanoseconds: a.wholeNanoseconds + Int128(b.nanoseconds))
            return .timestamp(try inRange(sum, .add, left, right, offset))
        case (.duration(let a), .duration(let b)):
            let sum = CELDuration(wholeNanoseconds: Int128(a.nanoseconds) + Int128(b.nanoseconds))
            return .duration(try inRange(sum, .add, left, right, offset))
        default: throw noOverload(.add, left, right, offset)
        }
    }

    // MARK: Whole numbers

    private func intArithmetic(
        _ binary: BinaryOperator, _ a: Int64, _ b: Int64, _ offset: Int
    ) throws(ExpressionError) -> CELValue {
        let result: (partialValue: Int64, overflow: Bool)
        switch binary {
        case .add: result = a.addingReportingOverflow(b)
        case .subtract: result = a.subtractingReportingOverflow(b)
        case .multiply: result = a.multipliedReportingOverflow(by: b)
        case .divide, .remainder:
            guard b != 0 else { throw divisionByZero(binary, .int(a), .int(b), offset) }
            result = binary == .divide ? a.dividedReportingOverflow(by: b) : a.remainderReportingOverflow(dividingBy: b)
        default: throw noOverload(binary, .int(a), .int(b), offset)
        }
        if result.overflow { throw overflow(binary.rawValue, [.int(a), .int(b)], offset) }
        return .int(result.partialValue)
    }

    private func uintArithmetic(
        _ binary: BinaryOperator, _ a: UInt64, _ b: UInt64, _ offset: Int
    ) throws(ExpressionError) -> CELValue {
        let result: (partialValue: UInt64, overflow: Bool)
        switch binary {
        case .add: result = a.addingReportingOverflow(b)
        case .subtract: result = a.subtractingReportingOverflow(b)
        case .multiply: result = a.multipliedReportingOverflow(by: b)
        case .divide, .remainder:
            guard b != 0 else { throw divisionByZero(binary, .uint(a), .uint(b), offset) }
            result = (binary == .divide ? a / b : a % b, false)
        default: throw noOverload(binary, .uint(a), .uint(b), offset)
        }
        if result.overflow { throw overflow(binary.rawValue, [.uint(a), .uint(b)], offset) }
        return .uint(result.partialValue)
    }

    // MARK: Order

    private mutating func compare(
        _ binary: BinaryOperator, _ left: CELValue, _ right: CELValue, _ offset: Int
    ) throws(ExpressionError) -> Bool {
        guard let order = try order(left, right) else { throw noOverload(binary, left, right, offset) }
        return switch (binary, order) {
        case (_, .unordered): false
        case (.less, _): order == .ascending
        case (.lessOrEqual, _): order != .descending
        case (.greater, _): order == .descending
        default: order != .ascending
        }
    }

    mutating func isContained(
        _ value: CELValue, in container: CELValue, _ offset: Int
    ) throws(ExpressionError) -> Bool {
        switch container {
        case .list(let list):
            for element in list where try areEqual(element, value) { return true }
            return false
        case .map(let map):
            return MapKey(lookingUp: value).map { map[$0] != nil } ?? false
        default: throw noOverload(.within, value, container, offset)
        }
    }

    // MARK: Errors

    private func noOverload(
        _ binary: BinaryOperator, _ left: CELValue, _ right: CELValue, _ offset: Int
    ) -> ExpressionError {
        var message = "'\(binary.rawValue)' does not take \(left.typeWord) and \(right.typeWord)"
        if left.isNumber, right.isNumber { message += "; convert one with int(), uint() or double()" }
        if binary == .add, case .string = left { message += "; string() makes a text of a value" }
        return ExpressionError(
            code: .type, message: message, offset: offset,
            values: "\(left.summary) \(binary.rawValue) \(right.summary)")
    }

    func overflow(_ name: String, _ values: [CELValue], _ offset: Int) -> ExpressionError {
        let texts = values.map(\.summary)
        return ExpressionError(
            code: .overflow, message: "the result does not fit 64 bits", offset: offset,
            values: texts.count == 1 ? name + texts[0] : texts.joined(separator: " \(name) "))
    }

    private func divisionByZero(
        _ binary: BinaryOperator, _ left: CELValue, _ right: CELValue, _ offset: Int
    ) -> ExpressionError {
        ExpressionError(
            code: .divideByZero, message: "division by zero", offset: offset,
            values: "\(left.summary) \(binary.rawValue) \(right.summary)")
    }

    private func inRange<Result>(
        _ result: Result?, _ binary: BinaryOperator, _ left: CELValue, _ right: CELValue, _ offset: Int
    ) throws(ExpressionError) -> Result {
        if let result { return result }
        throw ExpressionError(
            code: .overflow, message: "the result is out of the range of times", offset: offset,
            values: "\(left.summary) \(binary.rawValue) \(right.summary)")
    }
}

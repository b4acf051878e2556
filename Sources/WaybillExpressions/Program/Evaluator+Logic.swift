extension Evaluator {
    /// `&&` where an operand `false` settles it, `||` where `true` does: errors of other operands do not count then
    /// (language definition, "Logical Operators"). A cost limit that is reached always counts.
    mutating func all(_ operands: [Node], stopAt deciding: Bool, _ offset: Int) throws(ExpressionError) -> Bool {
        var failure: ExpressionError?
        for operand in operands {
            do throws(ExpressionError) {
                if try truth(operand, offset) == deciding { return deciding }
            } catch {
                if error.code == .costLimit { throw error }
                failure = failure ?? error
            }
        }
        if let failure { throw failure }
        return !deciding
    }

    mutating func not(_ value: CELValue, _ offset: Int) throws(ExpressionError) -> CELValue {
        guard case .bool(let truth) = value else {
            throw typeError("'!' needs true or false, not \(value.typeWord)", offset, [value])
        }
        return .bool(!truth)
    }

    mutating func negate(_ value: CELValue, _ offset: Int) throws(ExpressionError) -> CELValue {
        switch value {
        case .int(let number):
            guard number != .min else { throw overflow("-", [value], offset) }
            return .int(-number)
        case .double(let number): return .double(-number)
        default: throw typeError("'-' needs an int or a double, not \(value.typeWord)", offset, [value])
        }
    }

    // MARK: Lists and maps

    mutating func list(_ items: [Node.Item], _ offset: Int) throws(ExpressionError) -> CELValue {
        var values: [CELValue] = []
        for item in items {
            let value = try evaluate(item.value)
            if item.isOptional {
                guard case .optional(let inner) = value else { throw needsOptional(value, offset) }
                if let inner { values.append(inner) }
            } else {
                values.append(value)
            }
        }
        return .list(values)
    }

    mutating func map(_ entries: [Node.Entry], _ offset: Int) throws(ExpressionError) -> CELValue {
        var elements: [CELMap.Element] = []
        elements.reserveCapacity(entries.count)
        for entry in entries {
            let key = try mapKey(try evaluate(entry.key), entry.offset)
            let value = try evaluate(entry.value)
            if entry.isOptional {
                guard case .optional(let inner) = value else { throw needsOptional(value, entry.offset) }
                if let inner { elements.append((key, inner)) }
            } else {
                elements.append((key, value))
            }
        }
        return .map(try uniqueMap(elements, offset))
    }

    func mapKey(_ value: CELValue, _ offset: Int) throws(ExpressionError) -> MapKey {
        guard let key = MapKey(value) else {
            throw typeError("a key is a string, an int, a uint or a bool, not \(value.typeWord)", offset, [value])
        }
        return key
    }

    func uniqueMap(_ elements: [CELMap.Element], _ offset: Int) throws(ExpressionError) -> CELMap {
        guard let map = CELMap(unique: elements) else {
            throw ExpressionError(code: .duplicateKey, message: "a key occurs twice in this map", offset: offset)
        }
        return map
    }

    private func needsOptional(_ value: CELValue, _ offset: Int) -> ExpressionError {
        typeError("'?' needs an optional, such as a.?b or optional.of(x), not \(value.typeWord)", offset, [value])
    }

    // MARK: Optionals

    mutating func mapOptional(
        _ operand: Node, _ body: Node, isFlat: Bool, _ offset: Int
    ) throws(ExpressionError) -> CELValue {
        let value = try evaluate(operand)
        guard case .optional(let inner) = value else {
            throw typeError("optMap() is a member of optionals, not of \(value.typeWord)", offset, [value])
        }
        guard let inner else { return value }
        let result = try evaluate(body, binding: inner)
        guard isFlat else { return .optional(result) }
        guard case .optional = result else {
            throw typeError("optFlatMap() needs a body that is optional, not \(result.typeWord)", offset, [result])
        }
        return result
    }

    mutating func or(
        _ operand: Node, _ other: Node, isUnwrapped: Bool, _ offset: Int
    ) throws(ExpressionError) -> CELValue {
        let value = try evaluate(operand)
        let name = isUnwrapped ? "orValue()" : "or()"
        guard case .optional(let inner) = value else {
            throw typeError("\(name) is a member of optionals, not of \(value.typeWord)", offset, [value])
        }
        if let inner { return isUnwrapped ? inner : value }
        let otherValue = try evaluate(other)
        if !isUnwrapped, case .optional = otherValue { return otherValue }
        if isUnwrapped { return otherValue }
        throw typeError("or() takes an optional, not \(otherValue.typeWord)", offset, [otherValue])
    }
}

import WaybillCore

extension Evaluator {
    // MARK: Members

    mutating func select(_ operand: CELValue, _ field: String, _ offset: Int) throws(ExpressionError) -> CELValue {
        switch operand {
        case .map(let map):
            if let value = map.member(field) { return value }
            throw noMember(field, in: map, offset)
        case .optional(let inner):
            guard let inner else { return operand }
            return try selectOptional(inner, field, offset)
        default:
            throw typeError("\(operand.typeWord) has no members, so no '\(field)'", offset, [operand])
        }
    }

    mutating func selectOptional(
        _ operand: CELValue, _ field: String, _ offset: Int
    ) throws(ExpressionError) -> CELValue {
        switch operand {
        case .map(let map): return .optional(map.member(field))
        case .optional(let inner):
            guard let inner else { return operand }
            return try selectOptional(inner, field, offset)
        default:
            throw typeError("\(operand.typeWord) has no members, so no '\(field)'", offset, [operand])
        }
    }

    mutating func hasMember(_ operand: CELValue, _ field: String, _ offset: Int) throws(ExpressionError) -> Bool {
        switch operand {
        case .map(let map): return map.member(field) != nil
        case .optional(let inner):
            guard let inner else { return false }
            return try hasMember(inner, field, offset)
        default:
            throw typeError("has() asks for a member, and \(operand.typeWord) has none", offset, [operand])
        }
    }

    private func noMember(_ field: String, in map: CELMap, _ offset: Int) -> ExpressionError {
        var message = "there is no member '\(field)'"
        if let hint = Suggestion.hint(for: field, among: map.names(limit: 64)) { message += "; \(hint)" }
        return ExpressionError(
            code: .noSuchMember, message: message, offset: offset, values: CELValue.map(map).summary)
    }

    // MARK: Elements

    mutating func element(
        of operand: CELValue, at index: CELValue, _ offset: Int
    ) throws(ExpressionError) -> CELValue {
        switch operand {
        case .list(let list):
            let position = try position(index, offset)
            if position >= 0, position < list.count { return list[Int(position)] }
            throw ExpressionError(
                code: .indexOutOfRange, message: "index \(position) is not in a list of \(list.count)", offset: offset,
                values: operand.summary)
        case .map(let map):
            guard let key = MapKey(lookingUp: index) else {
                throw typeError("\(index.typeWord) cannot be a key of this map", offset, [index])
            }
            if let value = map[key] { return value }
            if case .string(let name) = key { throw noMember(name, in: map, offset) }
            throw ExpressionError(
                code: .noSuchMember, message: "there is no key \(index.summary)", offset: offset,
                values: operand.summary)
        case .optional: return try elementOptional(of: operand, at: index, offset)
        default:
            throw typeError("\(operand.typeWord) cannot be indexed", offset, [operand, index])
        }
    }

    mutating func elementOptional(
        of operand: CELValue, at index: CELValue, _ offset: Int
    ) throws(ExpressionError) -> CELValue {
        switch operand {
        case .list(let list):
            let position = try position(index, offset)
            return .optional(position >= 0 && position < list.count ? list[Int(position)] : nil)
        case .map(let map):
            guard let key = MapKey(lookingUp: index) else { return .optional(nil) }
            return .optional(map[key])
        case .optional(let inner):
            guard let inner else { return operand }
            return try elementOptional(of: inner, at: index, offset)
        default:
            throw typeError("\(operand.typeWord) cannot be indexed", offset, [operand, index])
        }
    }

    /// The index a number stands for; doubles count where they are whole.
    private func position(_ index: CELValue, _ offset: Int) throws(ExpressionError) -> Int64 {
        switch index {
        case .int(let value): return value
        case .uint(let value): return Int64(clamping: value)
        case .double(let value): if let whole = Int64(exactly: value) { return whole }
        default: break
        }
        throw typeError("a list is indexed by whole numbers, not by \(index.typeWord)", offset, [index])
    }

    mutating func size(_ value: CELValue, _ offset: Int) throws(ExpressionError) -> CELValue {
        switch value {
        case .list(let list): return .int(Int64(list.count))
        case .map(let map): return .int(Int64(map.count))
        case .bytes(let bytes): return .int(Int64(bytes.count))
        case .string(let text):
            try charge(bytes: text.utf8.count)
            return .int(Int64(text.unicodeScalars.count))
        default:
            throw typeError("size() takes a string, bytes, a list or a map, not \(value.typeWord)", offset, [value])
        }
    }

    mutating func matches(
        _ value: CELValue, _ pattern: RegularExpression, _ offset: Int
    ) throws(ExpressionError) -> CELValue {
        guard case .string(let text) = value else {
            throw typeError("matches() is for strings, not for \(value.typeWord)", offset, [value])
        }
        try charge(bytes: text.utf8.count)
        // A step of the matcher is a small part of a unit.
        var steps = remaining.multipliedReportingOverflow(by: 16).overflow ? Int.max : remaining * 16
        let before = steps
        let result = pattern.matches(text, steps: &steps)
        guard let result else {
            try charge(.max)
            return .bool(false)
        }
        try charge((before - steps) / 16)
        return .bool(result)
    }
}

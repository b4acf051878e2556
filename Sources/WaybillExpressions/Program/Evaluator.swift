import WaybillCore

/// Evaluates one expression once.
///
/// Every step is paid for before it is taken, so that no expression outruns its limit (see `CostLimit`).
struct Evaluator {
    let scope: any Scope
    private(set) var remaining: Int
    /// The variables of the macros around the node that is evaluated.
    var locals: [CELValue] = []

    init(scope: any Scope, limit: CostLimit) {
        self.scope = scope
        remaining = limit.units
    }

    // MARK: Cost

    @inline(__always)
    mutating func charge(_ units: Int) throws(ExpressionError) {
        let (rest, overflow) = remaining.subtractingReportingOverflow(units)
        remaining = rest
        if overflow || rest < 0 { throw Self.tooCostly }
    }

    /// Pays for reading or making that many bytes.
    mutating func charge(bytes: Int) throws(ExpressionError) { try charge(1 + bytes / 16) }

    private static var tooCostly: ExpressionError {
        ExpressionError(code: .costLimit, message: "the expression does more than its cost limit allows")
    }

    // MARK: Nodes

    mutating func evaluate(_ node: Node) throws(ExpressionError) -> CELValue {
        try charge(1)
        switch node {
        case .constant(let value): return value
        case .local(let slot): return locals[slot]
        case .variable(let name, let offset):
            if let value = scope.variable(name) { return value }
            throw unknownVariable(name, offset)
        case .path(let name, let members, let offset):
            guard var value = scope.variable(name) else { throw unknownVariable(name, offset) }
            try charge(members.count)
            for member in members { value = try select(value, member.name, member.offset) }
            return value
        case .select(let operand, let field, let offset):
            return try select(try evaluate(operand), field, offset)
        case .index(let operand, let index, let offset):
            let operand = try evaluate(operand)
            return try element(of: operand, at: try evaluate(index), offset)
        case .binary(let binary, let left, let right, let offset):
            let left = try evaluate(left)
            return try apply(binary, left, try evaluate(right), offset)
        case .and(let operands, let offset): return .bool(try all(operands, stopAt: false, offset))
        case .or(let operands, let offset): return .bool(try all(operands, stopAt: true, offset))
        case .size(let operand, let offset): return try size(try evaluate(operand), offset)
        case .conditional(let condition, let yes, let no, let offset):
            return try evaluate(try truth(condition, offset) ? yes : no)
        default: return try evaluateRare(node)
        }
    }

    /// The cases apart, so that the frames of the common ones stay small.
    private mutating func evaluateRare(_ node: Node) throws(ExpressionError) -> CELValue {
        switch node {
        case .not(let operand, let offset): return try not(try evaluate(operand), offset)
        case .negate(let operand, let offset): return try negate(try evaluate(operand), offset)
        case .has(let operand, let field, let offset):
            return .bool(try hasMember(try evaluate(operand), field, offset))
        case .selectOptional(let operand, let field, let offset):
            return try selectOptional(try evaluate(operand), field, offset)
        case .indexOptional(let operand, let index, let offset):
            let operand = try evaluate(operand)
            return try elementOptional(of: operand, at: try evaluate(index), offset)
        case .list(let items): return .list(try evaluateAll(items))
        case .listWithOptionals(let items, let offset): return try list(items, offset)
        case .map(let entries, let offset): return try map(entries, offset)
        case .fold(let fold, let offset): return try evaluate(fold, offset)
        case .bind(let value, let body):
            let value = try evaluate(value)
            return try evaluate(body, binding: value)
        case .optionalMap(let operand, let body, let isFlat, let offset):
            return try mapOptional(operand, body, isFlat: isFlat, offset)
        case .optionalOr(let operand, let other, let isUnwrapped, let offset):
            return try or(operand, other, isUnwrapped: isUnwrapped, offset)
        case .matches(let operand, let pattern, let offset):
            return try matches(try evaluate(operand), pattern, offset)
        case .call(let function, let arguments, let offset):
            return try call(function, try evaluateAll(arguments), offset)
        case .failure(let error): throw error
        default: return .null
        }
    }

    mutating func evaluateAll(_ nodes: [Node]) throws(ExpressionError) -> [CELValue] {
        var values: [CELValue] = []
        values.reserveCapacity(nodes.count)
        for node in nodes { values.append(try evaluate(node)) }
        return values
    }

    /// Evaluates with one more variable.
    mutating func evaluate(_ body: Node, binding value: CELValue) throws(ExpressionError) -> CELValue {
        locals.append(value)
        defer { locals.removeLast() }
        return try evaluate(body)
    }

    mutating func truth(_ node: Node, _ offset: Int) throws(ExpressionError) -> Bool {
        let value = try evaluate(node)
        guard case .bool(let truth) = value else {
            throw typeError("a condition must be true or false, this is \(value.typeWord)", offset, [value])
        }
        return truth
    }

    private mutating func call(
        _ function: Function, _ arguments: [CELValue], _ offset: Int
    ) throws(ExpressionError) -> CELValue {
        try function.apply(Arguments(values: arguments, function: function.name, offset: offset), &self)
    }

    // MARK: Errors

    func typeError(_ message: String, _ offset: Int, _ values: [CELValue]) -> ExpressionError {
        ExpressionError(
            code: .type, message: message, offset: offset, values: values.map(\.summary).joined(separator: ", "))
    }

    private func unknownVariable(_ name: String, _ offset: Int) -> ExpressionError {
        ExpressionError(code: .unknownName, message: "there is no '\(name)' here", offset: offset)
    }
}

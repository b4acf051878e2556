/// Turns a checked expression into the form that is evaluated.
struct Lowering {
    private let declarations: Declarations
    private let hasQualifiedNames: Bool
    /// Names of the macros' variables, by slot.
    private var locals: [String] = []

    static func lower(_ syntax: Syntax, _ declarations: Declarations) -> Node {
        var lowering = Lowering(declarations: declarations)
        return lowering.lower(syntax)
    }

    private init(declarations: Declarations) {
        self.declarations = declarations
        hasQualifiedNames = declarations.hasQualifiedNames
    }

    private mutating func lower(_ syntax: Syntax) -> Node {
        let offset = syntax.offset
        switch syntax.kind {
        case .literal(let value): return .constant(value)
        case .identifier(let name, let isAbsolute): return identifier(name, isAbsolute: isAbsolute, offset)
        case .select(let operand, let field, let isOptional):
            return select(syntax, operand, field, isOptional: isOptional)
        case .has(let operand, let field): return .has(lower(operand), field, offset: offset)
        case .index(let operand, let index, let isOptional):
            return isOptional
                ? .indexOptional(lower(operand), lower(index), offset: offset)
                : .index(lower(operand), lower(index), offset: offset)
        case .call(let function, let target, let arguments): return call(function, target, arguments, offset)
        case .unary(.not, let operand): return .not(lower(operand), offset: offset)
        case .unary(.negate, let operand): return .negate(lower(operand), offset: offset)
        case .binary(let binary, let left, let right): return .binary(binary, lower(left), lower(right), offset: offset)
        case .and(let operands): return .and(operands.map { lower($0) }, offset: offset)
        case .or(let operands): return .or(operands.map { lower($0) }, offset: offset)
        case .conditional(let condition, let yes, let no):
            return .conditional(lower(condition), lower(yes), lower(no), offset: offset)
        case .list(let items):
            guard items.contains(where: \.isOptional) else { return .list(items.map { lower($0.value) }) }
            return .listWithOptionals(
                items.map { Node.Item(value: lower($0.value), isOptional: $0.isOptional) }, offset: offset)
        case .map(let entries):
            let lowered = entries.map {
                Node.Entry(
                    key: lower($0.key), value: lower($0.value), isOptional: $0.isOptional, offset: $0.key.offset)
            }
            return .map(lowered, offset: offset)
        case .fold(let fold): return lower(fold, offset)
        case .bind(let variable, let value, let body):
            let value = lower(value)
            return .bind(value, body: with([variable]) { $0.lower(body) })
        case .optionalMap(let operand, let variable, let body, let isFlat):
            let operand = lower(operand)
            return .optionalMap(operand, body: with([variable]) { $0.lower(body) }, isFlat: isFlat, offset: offset)
        }
    }

    private mutating func with(_ variables: [String], _ body: (inout Lowering) -> Node) -> Node {
        locals += variables
        defer { locals.removeLast(variables.count) }
        return body(&self)
    }

    // MARK: Names

    private func identifier(_ name: String, isAbsolute: Bool, _ offset: Int) -> Node {
        if !isAbsolute, let slot = locals.lastIndex(of: name) { return .local(slot) }
        return global(name, isAbsolute: isAbsolute, offset) ?? .variable(name, offset: offset)
    }

    private func global(_ name: String, isAbsolute: Bool, _ offset: Int) -> Node? {
        switch declarations.resolve(name, isAbsolute: isAbsolute) {
        case .variable(let name, _): .variable(name, offset: offset)
        case .type(let name): .constant(.type(name))
        case nil: nil
        }
    }

    private mutating func select(_ syntax: Syntax, _ operand: Syntax, _ field: String, isOptional: Bool) -> Node {
        if isOptional { return .selectOptional(lower(operand), field, offset: syntax.offset) }
        if hasQualifiedNames || syntax.isRooted(in: TypeName.root), let name = syntax.qualifiedName,
            name.isAbsolute || !locals.contains(name.root),
            let node = global(name.name, isAbsolute: name.isAbsolute, syntax.offset)
        {
            return node
        }
        let member = Node.Member(name: field, offset: syntax.offset)
        switch lower(operand) {
        case .variable(let name, let offset): return .path(name, [member], offset: offset)
        case .path(let name, let members, let offset): return .path(name, members + [member], offset: offset)
        case let other: return .select(other, field, offset: syntax.offset)
        }
    }

    // MARK: Calls

    private mutating func call(_ name: String, _ target: Syntax?, _ arguments: [Syntax], _ offset: Int) -> Node {
        var (target, name) = (target, name)
        if let global = declarations.globalFunction(name, target: target, isLocal: { locals.contains($0) }) {
            (target, name) = (nil, global)
        }
        let operands = (target.map { [$0] } ?? []) + arguments
        guard let function = Library.functions[name] else {
            return .failure(
                ExpressionError(code: .unknownFunction, message: "there is no function \(name)()", offset: offset))
        }
        guard function.accepts(isMember: target != nil, arguments: arguments.count) else {
            return .failure(
                ExpressionError(
                    code: .type,
                    message: "\(name)() is not called like this; there is "
                        + function.signatures.prefix(3).map(\.description).joined(separator: ", "), offset: offset))
        }
        switch (name, operands.count) {
        case ("size", _): return .size(lower(operands[0]), offset: offset)
        case ("or", 2), ("orValue", 2):
            return .optionalOr(
                lower(operands[0]), lower(operands[1]), isUnwrapped: name == "orValue", offset: offset)
        case ("matches", 2):
            if case .literal(.string(let source)) = operands[1].kind,
                let pattern = (try? RegularExpression(source)) as RegularExpression?
            {
                return .matches(lower(operands[0]), pattern, offset: offset)
            }
        default: break
        }
        return .call(function, operands.map { lower($0) }, offset: offset)
    }

    private mutating func lower(_ fold: Fold, _ offset: Int) -> Node {
        let range = lower(fold.range)
        locals += fold.variables
        defer { locals.removeLast(fold.variables.count) }
        let node = FoldNode(
            kind: fold.kind, range: range, variableCount: fold.variables.count,
            filter: fold.filter.map { lower($0) }, body: lower(fold.body))
        return .fold(node, offset: offset)
    }
}

import WaybillCore

/// Finds the type of an expression from those of its variables, and what can never be evaluated.
///
/// The rules are those of the language definition ("Gradual Type Checking"), taken mildly where values decide at
/// run time anyway: numbers of different types may be compared, and the branches of a conditional may differ.
struct Checker {
    let declarations: Declarations
    private let hasQualifiedNames: Bool
    var substitution = Substitution()
    private(set) var problems: [Problem] = []
    /// The variables of the macros around the node that is checked, the innermost last.
    private var locals: [(name: String, shape: TypeShape)] = []

    /// The type of the whole, and the problems found.
    static func check(_ syntax: Syntax, _ declarations: Declarations) -> (shape: TypeShape, problems: [Problem]) {
        var checker = Checker(declarations: declarations)
        let shape = checker.check(syntax)
        return (checker.substitution.resolve(shape, unknownAsDyn: true), checker.problems)
    }

    private init(declarations: Declarations) {
        self.declarations = declarations
        hasQualifiedNames = declarations.hasQualifiedNames
    }

    mutating func report(_ message: String, at offset: Int, hint: String? = nil, isWarning: Bool = false) {
        problems.append(Problem(message: message, offset: offset, hint: hint, isWarning: isWarning))
    }

    func resolved(_ shape: TypeShape) -> TypeShape { substitution.resolve(shape) }

    mutating func check(_ syntax: Syntax) -> TypeShape {
        switch syntax.kind {
        case .literal(let value): return literal(value)
        case .identifier(let name, let isAbsolute): return identifier(name, isAbsolute: isAbsolute, syntax)
        case .select(let operand, let field, let isOptional):
            return select(syntax, operand, field, isOptional: isOptional)
        case .has(let operand, let field):
            _ = member(field, of: check(operand), at: syntax.offset)
            return .bool
        case .index(let operand, let index, let isOptional):
            return element(of: operand, at: index, isOptional: isOptional, syntax.offset)
        case .call(let function, let target, let arguments):
            return call(function, target: target, arguments, at: syntax.offset)
        case .unary(let unary, let operand): return check(unary, operand, at: syntax.offset)
        case .binary(let binary, let left, let right): return check(binary, left, right, at: syntax.offset)
        case .and(let operands), .or(let operands):
            for operand in operands { expect(.bool, operand, "'&&' and '||' join conditions") }
            return .bool
        case .conditional(let condition, let yes, let no):
            expect(.bool, condition, "a condition stands before '?'")
            let yesShape = check(yes)
            return join(yesShape, check(no))
        case .list(let items): return list(items)
        case .map(let entries): return map(entries)
        case .fold(let fold): return check(fold, at: syntax.offset)
        case .bind(let variable, let value, let body):
            let shape = check(value)
            return with([(variable, shape)]) { $0.check(body) }
        case .optionalMap(let operand, let variable, let body, let isFlat):
            return optionalMap(operand, variable, body, isFlat: isFlat, at: syntax.offset)
        }
    }

    // MARK: Names

    func isLocal(_ name: String) -> Bool { locals.contains { $0.name == name } }

    mutating func with<Result>(
        _ variables: [(name: String, shape: TypeShape)], _ body: (inout Checker) -> Result
    ) -> Result {
        locals += variables
        defer { locals.removeLast(variables.count) }
        return body(&self)
    }

    private mutating func identifier(_ name: String, isAbsolute: Bool, _ syntax: Syntax) -> TypeShape {
        if !isAbsolute, let local = locals.last(where: { $0.name == name }) { return local.shape }
        switch declarations.resolve(name, isAbsolute: isAbsolute) {
        case .variable(_, let shape): return shape
        case .type: return .type
        case nil: break
        }
        let names = declarations.variables.keys.sorted() + locals.map(\.name)
        var hint = Suggestion.hint(for: name, among: names)
        if hint == nil, !names.isEmpty { hint = Suggestion.list(names.sorted()) }
        if Library.functions[name] != nil { hint = "\(name) is a function; it is called as \(name)(...)" }
        report("there is no '\(name)' here", at: syntax.offset, hint: hint)
        return .dyn
    }

    private mutating func select(
        _ syntax: Syntax, _ operand: Syntax, _ field: String, isOptional: Bool
    ) -> TypeShape {
        // The longest declared name wins: `a.b.c` before `a.b` with a member `c`.
        if !isOptional, hasQualifiedNames || syntax.isRooted(in: TypeName.root), let name = syntax.qualifiedName,
            name.isAbsolute || !isLocal(name.root)
        {
            switch declarations.resolve(name.name, isAbsolute: name.isAbsolute) {
            case .variable(_, let shape): return shape
            case .type: return .type
            case nil: break
            }
        }
        let shape = member(field, of: check(operand), at: syntax.offset)
        if !isOptional { return shape }
        if case .optional = shape { return shape }
        return .optional(shape)
    }

    /// The type of a member; a member of an optional is optional.
    private mutating func member(_ field: String, of shape: TypeShape, at offset: Int) -> TypeShape {
        switch resolved(shape) {
        case .dyn, .generic: return .dyn
        case .variable:
            _ = substitution.assign(.dyn, to: shape)
            return .dyn
        case .map(_, let value): return value
        case .object(let object):
            if let known = object.fields[field] ?? object.others { return known }
            let names = object.fields.keys.sorted()
            var hint = Suggestion.hint(for: field, among: names)
            if hint == nil, !names.isEmpty { hint = Suggestion.list(names) }
            report("there is no member '\(field)'", at: offset, hint: hint)
            return .dyn
        case .nullable(let inner): return member(field, of: inner, at: offset)
        case .optional(let inner):
            let shape = member(field, of: inner, at: offset)
            if case .optional = shape { return shape }
            return .optional(shape)
        case let other:
            report("\(other.word) has no members, so no '\(field)'", at: offset)
            return .dyn
        }
    }

    private mutating func element(
        of operand: Syntax, at index: Syntax, isOptional: Bool, _ offset: Int
    ) -> TypeShape {
        let shape = check(operand)
        let indexShape = check(index)
        let element = element(of: shape, indexShape, index, offset)
        if !isOptional { return element }
        if case .optional = element { return element }
        return .optional(element)
    }

    private mutating func element(
        of shape: TypeShape, _ indexShape: TypeShape, _ index: Syntax, _ offset: Int
    ) -> TypeShape {
        switch resolved(shape) {
        case .dyn, .generic: return .dyn
        case .variable:
            _ = substitution.assign(.dyn, to: shape)
            return .dyn
        case .list(let element):
            let known = resolved(indexShape)
            if !known.isNumber, !substitution.assign(indexShape, to: .int) {
                report("a list is indexed by whole numbers, not by \(known.word)", at: index.offset)
            }
            return element
        case .map(let key, let value):
            let (known, wanted) = (resolved(indexShape), resolved(key))
            if !(known.isNumber && wanted.isNumber), !substitution.assign(indexShape, to: key) {
                report("the keys of this map are \(wanted.word), not \(known.word)", at: index.offset)
            }
            return value
        case .object(let object):
            if case .literal(.string(let name)) = index.kind { return member(name, of: shape, at: index.offset) }
            return object.others == nil ? object.commonShape : .dyn
        case .nullable(let inner): return element(of: inner, indexShape, index, offset)
        case .optional(let inner):
            let element = element(of: inner, indexShape, index, offset)
            if case .optional = element { return element }
            return .optional(element)
        case let other:
            report("\(other.word) cannot be indexed", at: offset)
            return .dyn
        }
    }

    // MARK: Literals

    private func literal(_ value: CELValue) -> TypeShape {
        switch value {
        case .null: .null
        case .bool: .bool
        case .int: .int
        case .uint: .uint
        case .double: .double
        case .string: .string
        case .bytes: .bytes
        case .timestamp: .timestamp
        case .duration: .duration
        case .list: .list(.dyn)
        case .map: .map(key: .dyn, value: .dyn)
        case .type: .type
        case .optional: .optional(.dyn)
        }
    }

    private mutating func list(_ items: [Syntax.Item]) -> TypeShape {
        var element: TypeShape?
        for item in items {
            var shape = check(item.value)
            if item.isOptional { shape = unwrapped(shape, item.value.offset) }
            element = element.map { join($0, shape) } ?? shape
        }
        return .list(element ?? substitution.freshVariable())
    }

    private mutating func map(_ entries: [Syntax.Entry]) -> TypeShape {
        var key: TypeShape?
        var value: TypeShape?
        for entry in entries {
            let keyShape = check(entry.key)
            switch resolved(keyShape) {
            case .string, .int, .uint, .bool, .dyn, .variable, .generic: break
            case let other:
                report("a key is a string, an int, a uint or a bool, not \(other.word)", at: entry.key.offset)
            }
            var valueShape = check(entry.value)
            if entry.isOptional { valueShape = unwrapped(valueShape, entry.value.offset) }
            key = key.map { join($0, keyShape) } ?? keyShape
            value = value.map { join($0, valueShape) } ?? valueShape
        }
        return .map(key: key ?? substitution.freshVariable(), value: value ?? substitution.freshVariable())
    }

    mutating func unwrapped(_ shape: TypeShape, _ offset: Int) -> TypeShape {
        switch resolved(shape) {
        case .optional(let inner): return inner
        case .dyn, .variable, .generic: return .dyn
        case let other:
            report("'?' needs an optional, such as a.?b or optional.of(x), not \(other.word)", at: offset)
            return .dyn
        }
    }

    /// The type of either: the more general of the two, or dyn.
    mutating func join(_ left: TypeShape, _ right: TypeShape) -> TypeShape {
        guard substitution.assign(right, to: left) else { return .dyn }
        return left.isAtLeastAsGeneral(as: right) ? left : right
    }

    /// Checks an operand that must be of a type.
    mutating func expect(_ wanted: TypeShape, _ operand: Syntax, _ reason: String) {
        let shape = check(operand)
        guard !substitution.assign(shape, to: wanted) else { return }
        report("\(reason), this is \(resolved(shape).word)", at: operand.offset)
    }
}

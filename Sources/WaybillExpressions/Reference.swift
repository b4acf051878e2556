package import WaybillCore

/// A member of the scope that an expression reads, as far as its path is written out.
package struct Reference: Hashable, Sendable {
    /// From the variable down: `["steps", "approve", "output", "approve"]`. It ends where an index is computed.
    package let path: [String]
    /// How much of the path must be there: all before the first `.?`, before the member `has()` asks for, and before
    /// what a condition has made sure of.
    package let strictCount: Int
    /// In bytes from the start of the expression.
    package let offset: Int

    /// The part of the path that must be there.
    package var strictPath: [String] { Array(path.prefix(strictCount)) }
    package var text: String { path.joined(separator: ".") }
}

extension Expression {
    /// What the expression saw: the values at its references by dotted path, those that are there.
    /// Lists and maps of more than some hundred elements are left to their size.
    package func observed(in scope: any Scope) -> Object {
        var object = Object()
        for reference in references where object[reference.text] == nil {
            guard var value = scope.variable(reference.path[0]) else { continue }
            var isThere = true
            for name in reference.path.dropFirst() {
                if case .optional(let inner?) = value { value = inner }
                guard case .map(let map) = value, let member = map.member(name) else {
                    isThere = false
                    break
                }
                value = member
            }
            guard isThere else { continue }
            object[reference.text] = recorded(value, in: scope)
        }
        return object
    }

    private static let recordLimit = CostLimit(units: 500)

    private func recorded(_ value: CELValue, in scope: any Scope) -> Value {
        var evaluator = Evaluator(scope: scope, limit: Self.recordLimit)
        do throws(ExpressionError) {
            return try evaluator.json(value, 0)
        } catch {
            return .string(value.summary)
        }
    }
}

/// Walks over an expression for what it reads.
struct ReferenceCollector {
    private let declarations: Declarations
    private var locals: [String] = []
    private var found: [Reference] = []
    /// Members that are there where the walk is now.
    private var present: [[String]] = []

    static func collect(
        _ syntax: Syntax, _ declarations: Declarations
    ) -> (references: [Reference], implied: [[String]]) {
        var collector = ReferenceCollector(declarations: declarations)
        collector.visit(syntax)
        return (collector.found, collector.implied(by: syntax, being: true))
    }

    private init(declarations: Declarations) { self.declarations = declarations }

    private struct Path {
        var names: [String]
        var strictCount: Int

        func appending(_ name: String, _ isOptional: Bool) -> Path {
            let isStrict = !isOptional && strictCount == names.count
            return Path(names: names + [name], strictCount: strictCount + (isStrict ? 1 : 0))
        }
    }

    // MARK: Paths

    /// nil where the expression is no path from a variable.
    private func path(_ syntax: Syntax) -> Path? {
        switch syntax.kind {
        case .identifier(let name, let isAbsolute):
            if !isAbsolute, locals.contains(name) { return nil }
            if case .type = declarations.resolve(name, isAbsolute: isAbsolute) { return nil }
            return Path(names: [name], strictCount: 1)
        case .select(let operand, let field, let isOptional): return path(operand)?.appending(field, isOptional)
        case .index(let operand, let index, let isOptional):
            guard case .literal(.string(let name)) = index.kind else { return nil }
            return path(operand)?.appending(name, isOptional)
        case .has(let operand, let field): return path(operand)?.appending(field, true)
        default: return nil
        }
    }

    private mutating func visit(_ syntax: Syntax) {
        if let path = path(syntax) {
            record(path, at: syntax.offset)
            return
        }
        switch syntax.kind {
        case .and(let operands): visit(operands, eachAfter: true)
        case .or(let operands): visit(operands, eachAfter: false)
        case .conditional(let condition, let yes, let no):
            visit(condition)
            assuming(implied(by: condition, being: true)) { $0.visit(yes) }
            assuming(implied(by: condition, being: false)) { $0.visit(no) }
        case .fold(let fold):
            visit(fold.range)
            with(fold.variables) { collector in
                if let filter = fold.filter { collector.visit(filter) }
                collector.visit(fold.body)
            }
        case .bind(let variable, let value, let body), .optionalMap(let value, let variable, let body, _):
            visit(value)
            with([variable]) { $0.visit(body) }
        case .call(let name, let target, let arguments):
            let isGlobal = declarations.globalFunction(name, target: target, isLocal: { locals.contains($0) }) != nil
            if let target, !isGlobal { visit(target) }
            for argument in arguments { visit(argument) }
        default: for child in syntax.children { visit(child) }
        }
    }

    private mutating func record(_ path: Path, at offset: Int) {
        var strictCount = path.strictCount
        for known in present where path.names.starts(with: known) { strictCount = min(strictCount, known.count - 1) }
        let reference = Reference(path: path.names, strictCount: strictCount, offset: offset)
        if !found.contains(where: { $0.path == reference.path && $0.strictCount == strictCount }) {
            found.append(reference)
        }
    }

    private mutating func with(_ variables: [String], _ body: (inout ReferenceCollector) -> Void) {
        locals += variables
        body(&self)
        locals.removeLast(variables.count)
    }

    private mutating func assuming(_ members: [[String]], _ body: (inout ReferenceCollector) -> Void) {
        present += members
        body(&self)
        present.removeLast(members.count)
    }

    /// Each operand is reached only if those before it were true (or false).
    private mutating func visit(_ operands: [Syntax], eachAfter truth: Bool) {
        let count = present.count
        for operand in operands {
            visit(operand)
            present += implied(by: operand, being: truth)
        }
        present.removeLast(present.count - count)
    }

    // MARK: Conclusions

    /// The members that are there if the condition is true, or false.
    private func implied(by condition: Syntax, being truth: Bool) -> [[String]] {
        switch condition.kind {
        case .has: truth ? path(condition).map { [$0.names] } ?? [] : []
        case .unary(.not, let operand): implied(by: operand, being: !truth)
        case .and(let operands): truth ? operands.flatMap { implied(by: $0, being: true) } : []
        case .or(let operands): truth ? [] : operands.flatMap { implied(by: $0, being: false) }
        case .binary(.equal, let left, let right):
            truth
                ? completed(left, right) + completed(right, left) + defaulted(left, right) + defaulted(right, left)
                : []
        case .binary(.notEqual, let left, let right): truth ? [] : completed(left, right) + completed(right, left)
        case .call("hasValue", let target?, let arguments) where arguments.isEmpty && truth:
            members(of: target)
        case .call("orValue", let target?, let arguments):
            // The result is not the default, so the member was there.
            if case .literal(.bool(!truth))? = arguments.first?.kind { members(of: target) } else { [] }
        default: []
        }
    }

    /// `x.?y.orValue("a") == "b"` holds only where there is `x.y`.
    private func defaulted(_ left: Syntax, _ right: Syntax) -> [[String]] {
        guard case .literal(let literal) = right.kind, case .call("orValue", let target?, let arguments) = left.kind,
            case .literal(let other)? = arguments.first?.kind, other.typeName == literal.typeName, other != literal
        else { return [] }
        return members(of: target)
    }

    /// A path that is there, and those before it that `.?` left open.
    private func members(of syntax: Syntax) -> [[String]] {
        guard let path = path(syntax) else { return [] }
        return (path.strictCount..<path.names.count).map { Array(path.names[...$0]) }
    }

    /// A step that has completed has its output.
    private func completed(_ left: Syntax, _ right: Syntax) -> [[String]] {
        guard case .literal(.string("completed")) = right.kind, let path = path(left), path.names.last == "status"
        else {
            return []
        }
        return [path.names.dropLast() + ["output"]]
    }
}

import WaybillCore

extension Checker {
    // MARK: Operators

    mutating func check(_ unary: UnaryOperator, _ operand: Syntax, at offset: Int) -> TypeShape {
        if unary == .not {
            expect(.bool, operand, "'!' needs a condition")
            return .bool
        }
        let shape = resolved(check(operand))
        switch shape {
        case .int, .double, .dyn: return shape
        case .nullable(let inner) where inner == .int || inner == .double: return inner
        case .variable, .generic: return .dyn
        default:
            report("'-' needs an int or a double, not \(shape.word)", at: offset)
            return .dyn
        }
    }

    mutating func check(_ binary: BinaryOperator, _ left: Syntax, _ right: Syntax, at offset: Int) -> TypeShape {
        let shapes = [check(left), check(right)]
        let known = shapes.map(resolved)
        if binary == .divide, known == [.int, .int] {
            report(
                "an int divided by an int drops the fraction", at: offset,
                hint: "where the fraction counts, write double(x) / y", isWarning: true)
        }
        if let result = overload(Library.operators[binary] ?? [], shapes) { return result }
        if let result = mildResult(binary, known[0], known[1]) { return result }
        report(
            "'\(binary.rawValue)' does not take \(known[0].word) and \(known[1].word)", at: offset,
            hint: hint(binary, known[0], known[1]))
        switch binary {
        case .equal, .notEqual, .less, .lessOrEqual, .greater, .greaterOrEqual, .within: return .bool
        default: return .dyn
        }
    }

    /// What the language's own checker refuses, but values may well satisfy.
    private mutating func mildResult(_ binary: BinaryOperator, _ left: TypeShape, _ right: TypeShape) -> TypeShape? {
        switch (binary, left, right) {
        case (.equal, _, _), (.notEqual, _, _):
            let mayBeEqual = (left.isNumber && right.isNumber) || left == .null || right == .null
            return mayBeEqual || left.hasElements && right.hasElements ? .bool : nil
        case (.within, _, .list(let element)): return left.isNumber && element.isNumber ? .bool : nil
        case (.within, _, .map(let key, _)): return left.isNumber && key.isNumber ? .bool : nil
        case (.add, .list, .list): return .list(.dyn)
        default: return nil
        }
    }

    private func hint(_ binary: BinaryOperator, _ left: TypeShape, _ right: TypeShape) -> String? {
        if left.isNumber, right.isNumber { return "convert one of them with int(), uint() or double()" }
        switch (binary, left, right) {
        case (.equal, _, _), (.notEqual, _, _): return "values of these types are never equal"
        case (.add, .string, _), (.add, _, .string): return "string() makes a text of a value"
        case (.within, _, .string): return "whether a text contains another is asked with a.contains(b)"
        default: return nil
        }
    }

    // MARK: Overloads

    /// The result of the overloads that take these types; dyn where they differ, nil where none does.
    mutating func overload(_ signatures: [Signature], _ arguments: [TypeShape]) -> TypeShape? {
        var result: TypeShape?
        for signature in signatures {
            let (parameters, itsResult) = substitution.instantiate(signature)
            guard substitution.assign(arguments, to: parameters) else { continue }
            let found = resolved(itsResult)
            if let known = result, known != found { result = .dyn } else { result = found }
        }
        return result
    }

    mutating func call(_ name: String, target: Syntax?, _ arguments: [Syntax], at offset: Int) -> TypeShape {
        var (target, name) = (target, name)
        if let global = declarations.globalFunction(name, target: target, isLocal: { isLocal($0) }) {
            (target, name) = (nil, global)
        }
        let signatures =
            (Library.functions[name]?.signatures ?? []) + declarations.functions.filter { $0.function == name }
        var shapes = target.map { [check($0)] } ?? []
        for argument in arguments { shapes.append(check(argument)) }
        guard !signatures.isEmpty else {
            reportUnknownFunction(name, target: target, at: offset)
            return .dyn
        }
        let styled = signatures.filter { $0.isMember == (target != nil) && $0.argumentCount == arguments.count }
        if let result = overload(styled, shapes) {
            checkLiterals(name, arguments, target: target)
            return result
        }
        report(mismatch(name, target, styled, shapes.map(resolved)), at: offset, hint: usage(name, signatures))
        return .dyn
    }

    private func mismatch(
        _ name: String, _ target: Syntax?, _ styled: [Signature], _ shapes: [TypeShape]
    ) -> String {
        if styled.isEmpty {
            let count = shapes.count - (target == nil ? 0 : 1)
            return "\(name)() is not called with \(count) argument\(count == 1 ? "" : "s")"
                + (target == nil ? "" : " after a value and a dot")
        }
        return "\(name)() does not take " + shapes.map(\.word).joined(separator: ", ")
    }

    private func usage(_ name: String, _ signatures: [Signature]) -> String {
        "there is " + signatures.prefix(3).map(\.description).joined(separator: ", ")
            + (signatures.count > 3 ? " and more" : "")
    }

    private mutating func reportUnknownFunction(_ name: String, target: Syntax?, at offset: Int) {
        var known: Set<String> = Set(declarations.functions.map(\.function))
        for function in Library.functions.values
        where function.signatures.contains(where: { $0.isMember == (target != nil) }) {
            known.insert(function.name)
        }
        if target == nil { known.insert("has") } else { known.formUnion(Fold.Kind.allCases.map(\.rawValue)) }
        report("there is no function \(name)()", at: offset, hint: Suggestion.hint(for: name, among: known.sorted()))
    }

    /// Texts that are converted or matched and stand in the expression are tried at once.
    private mutating func checkLiterals(_ name: String, _ arguments: [Syntax], target: Syntax?) {
        guard let last = arguments.last, case .literal(.string(let text)) = last.kind else { return }
        switch name {
        case "matches":
            do throws(PatternError) {
                _ = try RegularExpression(text)
            } catch {
                report("this is no regular expression: \(error.message)", at: last.offset)
            }
        case "timestamp" where CELTimestamp(rfc3339: text) == nil:
            report("this is no time", at: last.offset, hint: "a time is written as in 2026-11-20T10:15:00Z")
        case "duration" where CELDuration(text: text) == nil:
            report("this is no duration", at: last.offset, hint: "a duration is written as in 1h30m, 10s or 250ms")
        default: break
        }
    }

    // MARK: Macros

    mutating func optionalMap(
        _ operand: Syntax, _ variable: String, _ body: Syntax, isFlat: Bool, at offset: Int
    ) -> TypeShape {
        let inner: TypeShape
        switch resolved(check(operand)) {
        case .optional(let shape): inner = shape
        case .dyn, .variable, .generic: inner = .dyn
        case let other:
            report("\(isFlat ? "optFlatMap" : "optMap")() is a member of optionals, not of \(other.word)", at: offset)
            inner = .dyn
        }
        let result = with([(variable, inner)]) { $0.check(body) }
        return isFlat ? .optional(unwrapped(result, body.offset)) : .optional(result)
    }

    mutating func check(_ fold: Fold, at offset: Int) -> TypeShape {
        let (first, second, only) = elements(of: check(fold.range), fold, at: offset)
        let shapes = fold.variables.count == 1 ? [only] : [first, second]
        let variables = Array(zip(fold.variables, shapes)).map { (name: $0.0, shape: $0.1) }
        return with(variables) { checker in
            if let filter = fold.filter {
                checker.expect(.bool, filter, "\(fold.kind.rawValue)() filters by a condition")
            }
            switch fold.kind {
            case .all, .exists, .existsOne:
                checker.expect(.bool, fold.body, "\(fold.kind.rawValue)() needs a condition")
                return .bool
            case .filter:
                checker.expect(.bool, fold.body, "filter() needs a condition")
                return .list(only)
            case .map, .transformList: return .list(checker.check(fold.body))
            case .transformMap: return .map(key: first, value: checker.check(fold.body))
            case .transformMapEntry: return checker.check(fold.body)
            case .sortBy:
                _ = checker.check(fold.body)
                return .list(only)
            }
        }
    }

    /// The types of index or key, of element or value, and of what a single variable stands for.
    private mutating func elements(
        of range: TypeShape, _ fold: Fold, at offset: Int
    ) -> (first: TypeShape, second: TypeShape, only: TypeShape) {
        switch resolved(range) {
        case .list(let element): return (.int, element, element)
        case .map(let key, let value): return (key, value, key)
        case .object(let object): return (.string, object.commonShape, .string)
        case .nullable(let inner): return elements(of: inner, fold, at: offset)
        case .dyn, .generic: return (.dyn, .dyn, .dyn)
        case .variable:
            _ = substitution.assign(.dyn, to: range)
            return (.dyn, .dyn, .dyn)
        case let other:
            report("\(fold.kind.rawValue)() walks over a list or a map, not \(other.word)", at: offset)
            return (.dyn, .dyn, .dyn)
        }
    }
}

extension TypeShape {
    /// Lists and maps, which are equal when they are empty, whatever they are of.
    fileprivate var hasElements: Bool {
        switch self {
        case .list, .map, .object: true
        default: false
        }
    }
}

extension Declarations {
    /// The function that `math.abs(x)` means, where the receiver is the first part of its name and no variable.
    func globalFunction(_ name: String, target: Syntax?, isLocal: (String) -> Bool) -> String? {
        var full = name
        var isAbsolute = false
        if let target {
            guard let prefix = target.qualifiedName, prefix.isAbsolute || !isLocal(prefix.root) else { return nil }
            full = prefix.name + "." + name
            isAbsolute = prefix.isAbsolute
        }
        for candidate in candidates(for: full, isAbsolute: isAbsolute) {
            let isKnown = Library.functions[candidate].map { $0.signatures.contains { !$0.isMember } } ?? false
            if isKnown || functions.contains(where: { $0.function == candidate && !$0.isMember }) { return candidate }
        }
        return nil
    }
}

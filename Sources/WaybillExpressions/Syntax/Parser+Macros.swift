extension Parser {
    /// `has(a.b)` is a question about a member; any other name is a function's.
    func expandGlobal(_ name: String, arguments: [Syntax], at offset: Int) throws(ExpressionError) -> Syntax {
        guard name == "has", arguments.count == 1 else {
            return Syntax(.call(function: name, target: nil, arguments: arguments), at: offset)
        }
        guard case .select(let operand, let field, false) = arguments[0].kind else {
            throw failure("has() takes a member, as in has(steps.build.output)", at: arguments[0].offset)
        }
        return Syntax(.has(operand, field: field), at: arguments[0].offset)
    }

    /// Macros are known by name and number of arguments; what fits none is a function's call.
    func expandMember(
        _ name: String, target: Syntax, arguments: [Syntax], at offset: Int
    ) throws(ExpressionError) -> Syntax {
        switch (name, arguments.count) {
        case ("all", 2), ("exists", 2), ("map", 2), ("filter", 2), ("sortBy", 2):
            return try fold(name, over: target, variables: 1, filtered: false, arguments, at: offset)
        case ("map", 3):
            return try fold(name, over: target, variables: 1, filtered: true, arguments, at: offset)
        case ("all", 3), ("exists", 3), ("transformList", 3), ("transformMap", 3), ("transformMapEntry", 3):
            return try fold(name, over: target, variables: 2, filtered: false, arguments, at: offset)
        case ("transformList", 4), ("transformMap", 4), ("transformMapEntry", 4):
            return try fold(name, over: target, variables: 2, filtered: true, arguments, at: offset)
        case ("existsOne", 2), ("exists_one", 2):
            return try fold("existsOne", over: target, variables: 1, filtered: false, arguments, at: offset)
        case ("existsOne", 3), ("exists_one", 3):
            return try fold("existsOne", over: target, variables: 2, filtered: false, arguments, at: offset)
        case ("optMap", 2), ("optFlatMap", 2):
            let variable = try variableName(arguments[0])
            return Syntax(
                .optionalMap(target, variable: variable, body: arguments[1], isFlat: name == "optFlatMap"), at: offset)
        case ("bind", 3):
            guard case .identifier("cel", _) = target.kind else { break }
            let variable = try variableName(arguments[0])
            return Syntax(.bind(variable: variable, value: arguments[1], body: arguments[2]), at: offset)
        default: break
        }
        return Syntax(.call(function: name, target: target, arguments: arguments), at: offset)
    }

    private func fold(
        _ name: String, over range: Syntax, variables count: Int, filtered: Bool, _ arguments: [Syntax], at offset: Int
    ) throws(ExpressionError) -> Syntax {
        guard let kind = Fold.Kind(rawValue: name) else {
            return Syntax(.call(function: name, target: range, arguments: arguments), at: offset)
        }
        var variables: [String] = []
        for argument in arguments.prefix(count) {
            let variable = try variableName(argument)
            if variables.contains(variable) {
                throw failure("the two variables of \(name)() need different names", at: argument.offset)
            }
            variables.append(variable)
        }
        let filter = filtered ? arguments[count] : nil
        let body = arguments[arguments.count - 1]
        if kind == .transformMapEntry {
            guard case .map = body.kind else {
                throw failure("transformMapEntry() needs a map literal such as {key: value}", at: body.offset)
            }
        }
        return Syntax(
            .fold(Fold(kind: kind, range: range, variables: variables, filter: filter, body: body)), at: offset)
    }

    private func variableName(_ syntax: Syntax) throws(ExpressionError) -> String {
        guard case .identifier(let name, false) = syntax.kind else {
            throw failure("a plain name for the variable is expected here", at: syntax.offset)
        }
        return name
    }
}

/// What an expression may speak of: the variables in scope and the shapes they have.
package struct Declarations: Sendable {
    /// Name -> shape. A name may contain dots: it is then one qualified variable.
    package var variables: [String: TypeShape]
    /// Functions that a checker shall know beside the library's; they cannot be evaluated.
    package var functions: [Signature]
    /// Where names are looked up first: in `a.b`, the name `x` may mean `a.b.x`, `a.x` or `x`.
    package var container: String
    /// Whether unknown names and impossible types are errors before evaluation.
    package var isChecked: Bool

    package init(
        _ variables: [String: TypeShape] = [:], functions: [Signature] = [], container: String = "",
        isChecked: Bool = true
    ) {
        self.variables = variables
        self.functions = functions
        self.container = container
        self.isChecked = isChecked
    }

    /// Everything is allowed; what is wrong shows when it is evaluated.
    package static let unchecked = Declarations(isChecked: false)

    /// The declarations with one more variable.
    package func adding(_ name: String, _ shape: TypeShape) -> Declarations {
        var copy = self
        copy.variables[name] = shape
        return copy
    }
}

extension Declarations {
    /// The declared variable or the type that a name means, looked up from the container outwards.
    func resolve(_ name: String, isAbsolute: Bool) -> Resolution? {
        for candidate in candidates(for: name, isAbsolute: isAbsolute) {
            if let shape = variables[candidate] { return .variable(candidate, shape) }
            if TypeName.all.contains(candidate) { return .type(candidate) }
        }
        return nil
    }

    enum Resolution {
        case variable(String, TypeShape)
        case type(String)
    }

    /// The full names a name may stand for, the nearest first.
    func candidates(for name: String, isAbsolute: Bool) -> [String] {
        guard !isAbsolute, !container.isEmpty else { return [name] }
        var parts = container.split(separator: ".")
        var candidates: [String] = []
        while !parts.isEmpty {
            candidates.append(parts.joined(separator: ".") + "." + name)
            parts.removeLast()
        }
        return candidates + [name]
    }
}

extension Declarations {
    /// Whether a name with dots may mean something by itself; else `a.b` is always the member of a variable.
    var hasQualifiedNames: Bool {
        !container.isEmpty || variables.keys.contains { $0.utf8.contains(UInt8(ascii: ".")) }
    }
}

extension Syntax {
    /// `a.b.c` as one name, where it is nothing but names and dots.
    var qualifiedName: (name: String, root: String, isAbsolute: Bool)? {
        switch kind {
        case .identifier(let name, let isAbsolute): return (name, name, isAbsolute)
        case .select(let operand, let field, false):
            guard let inner = operand.qualifiedName else { return nil }
            return (inner.name + "." + field, inner.root, inner.isAbsolute)
        default: return nil
        }
    }

    /// Whether it is a member, in the end, of a variable called `name`.
    func isRooted(in name: String) -> Bool {
        switch kind {
        case .identifier(let root, _): root == name
        case .select(let operand, _, false): operand.isRooted(in: name)
        default: false
        }
    }
}

/// A function of the library: its name, its overloads and what it does.
struct Function: Sendable {
    typealias Body = @Sendable (Arguments, inout Evaluator) throws(ExpressionError) -> CELValue

    let name: String
    let signatures: [Signature]
    let apply: Body

    /// Each signature reads `(string) -> int` or, for a member, `string.(int) -> string`.
    init(_ name: String, _ notations: [String], _ apply: @escaping Body) {
        self.name = name
        signatures = notations.compactMap { Signature(name, notation: $0) }
        assert(signatures.count == notations.count, "a signature of \(name) does not read")
        self.apply = apply
    }

    func accepts(isMember: Bool, arguments count: Int) -> Bool {
        signatures.contains { $0.isMember == isMember && $0.argumentCount == count }
    }
}

/// All functions by name.
enum Library {
    static let functions: [String: Function] = {
        var functions: [String: Function] = [:]
        let all =
            StandardFunctions.all + TimeFunctions.all + StringFunctions.all + MathFunctions.all + ListFunctions.all
            + SetFunctions.all + OptionalFunctions.all + HostFunctions.all
        for function in all {
            assert(functions[function.name] == nil, "\(function.name) is there twice")
            functions[function.name] = function
        }
        return functions
    }()

    /// The operators as the checker sees them.
    static let operators: [BinaryOperator: [Signature]] = {
        let numbers = ["int", "uint", "double"]
        var table: [BinaryOperator: [String]] = [:]
        for binary in [BinaryOperator.add, .subtract, .multiply, .divide] {
            table[binary] = numbers.map { "(\($0), \($0)) -> \($0)" }
        }
        table[.remainder] = ["(int, int) -> int", "(uint, uint) -> uint"]
        table[.add]? += [
            "(string, string) -> string", "(bytes, bytes) -> bytes", "(list(A), list(A)) -> list(A)",
            "(timestamp, duration) -> timestamp", "(duration, timestamp) -> timestamp",
            "(duration, duration) -> duration",
        ]
        table[.subtract]? += [
            "(timestamp, timestamp) -> duration", "(timestamp, duration) -> timestamp",
            "(duration, duration) -> duration",
        ]
        let ordered = ["bool", "string", "bytes", "timestamp", "duration"].map { "(\($0), \($0)) -> bool" }
        let mixed = numbers.flatMap { left in numbers.map { "(\(left), \($0)) -> bool" } }
        for binary in [BinaryOperator.less, .lessOrEqual, .greater, .greaterOrEqual] { table[binary] = ordered + mixed }
        table[.equal] = ["(A, A) -> bool"]
        table[.notEqual] = ["(A, A) -> bool"]
        table[.within] = ["(A, list(A)) -> bool", "(A, map(A, B)) -> bool"]
        var operators: [BinaryOperator: [Signature]] = [:]
        for (binary, notations) in table {
            operators[binary] = notations.compactMap { Signature(binary.rawValue, notation: $0) }
        }
        return operators
    }()
}

package import WaybillCore

/// An expression of the Common Expression Language, compiled once and evaluated as often as needed.
///
/// It reads its scope, and nothing else; it ends within its cost limit.
package final class Expression: Sendable {
    package let source: String
    /// The type of its values, as far as the declarations tell.
    package let shape: TypeShape
    /// What it reads of its scope.
    package let references: [Reference]
    /// Members that are there whenever the expression is true: those after `has(...)`, and the `output` beside a
    /// `status` that is compared with `"completed"`.
    package let impliedMembers: [[String]]
    /// What is suspicious, but no error.
    package let warnings: [Diagnostic]
    private let places: PlaceMap
    private let program: Node

    /// - Throws: everything that is wrong with it, found without evaluating.
    package static func compile(
        _ source: String, places: PlaceMap = .unknown, declarations: Declarations
    ) throws(InvalidExpression) -> Expression {
        let syntax: Syntax
        do throws(ExpressionError) {
            syntax = try Parser.parse(source)
        } catch {
            throw InvalidExpression([
                Diagnostic(
                    message: "in the expression: \(error.message)", place: places.place(at: error.offset),
                    hint: nil)
            ])
        }
        guard declarations.isChecked else {
            return Expression(source, syntax, .dyn, [], places, declarations)
        }
        let (shape, problems) = Checker.check(syntax, declarations)
        let errors = problems.filter { !$0.isWarning }
        guard errors.isEmpty else { throw InvalidExpression(errors.map { $0.diagnostic(places) }) }
        return Expression(source, syntax, shape, problems.map { $0.diagnostic(places) }, places, declarations)
    }

    /// The same for a text that stands on one line from `place` on.
    package static func compile(
        _ source: String, place: SourcePlace?, declarations: Declarations
    ) throws(InvalidExpression) -> Expression {
        try compile(source, places: PlaceMap(text: source, place: place), declarations: declarations)
    }

    private init(
        _ source: String, _ syntax: Syntax, _ shape: TypeShape, _ warnings: [Diagnostic], _ places: PlaceMap,
        _ declarations: Declarations
    ) {
        self.source = source
        self.shape = shape
        self.warnings = warnings
        self.places = places
        let collector = ReferenceCollector.collect(syntax, declarations)
        references = collector.references
        impliedMembers = collector.implied
        program = Lowering.lower(syntax, declarations)
    }

    /// Where the expression begins in the file it was read from.
    package var place: SourcePlace? { places.place(at: 0) }

    /// Where a byte of the source stands in that file, as for a reference.
    package func place(at offset: Int) -> SourcePlace? { places.place(at: offset) }

    // MARK: Evaluation

    package func evaluate(
        in scope: any Scope, limit: CostLimit = .standard
    ) throws(ExpressionError) -> CELValue {
        var evaluator = Evaluator(scope: scope, limit: limit)
        do throws(ExpressionError) {
            return try evaluator.evaluate(program)
        } catch {
            throw placed(error)
        }
    }

    /// The result as JSON; nil for `optional.none()`. An optional with a value counts as the value.
    package func value(in scope: any Scope, limit: CostLimit = .standard) throws(ExpressionError) -> Value? {
        var evaluator = Evaluator(scope: scope, limit: limit)
        do throws(ExpressionError) {
            let result = try evaluator.evaluate(program)
            // Spelt out: in a conditional expression `nil` would be read as the value null.
            if result.isAbsent { return nil }
            return try evaluator.json(result, 0)
        } catch {
            throw placed(error)
        }
    }

    /// - Throws: also if the result is no bool.
    package func condition(in scope: any Scope, limit: CostLimit = .standard) throws(ExpressionError) -> Bool {
        let result = try evaluate(in: scope, limit: limit)
        if case .bool(let truth) = result { return truth }
        throw placed(
            ExpressionError(
                code: .notCondition, message: "a condition must be true or false, this is \(result.typeWord)",
                values: result.summary))
    }

    /// The error with its place in the file.
    func placed(_ error: ExpressionError) -> ExpressionError {
        var error = error
        error.place = places.place(at: error.offset)
        return error
    }
}

extension Expression: Hashable {
    /// The same text at the same place.
    package static func == (left: Expression, right: Expression) -> Bool {
        left === right || (left.source.isIdenticalUTF8(to: right.source) && left.places == right.places)
    }

    package func hash(into hasher: inout Hasher) { hasher.combineUTF8(of: source) }
}

/// Everything that is wrong with an expression or a template.
package struct InvalidExpression: Error, Hashable, Sendable {
    package let diagnostics: [Diagnostic]

    package init(_ diagnostics: [Diagnostic]) { self.diagnostics = diagnostics }
}

extension Problem {
    fileprivate func diagnostic(_ places: PlaceMap) -> Diagnostic {
        Diagnostic(
            level: isWarning ? .warning : .error, kind: isWarning ? .contract : .manifest,
            message: "in the expression: \(message)", place: places.place(at: offset), hint: hint)
    }
}

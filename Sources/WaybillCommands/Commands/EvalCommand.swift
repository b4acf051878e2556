import ArgumentParser
import WaybillCore
import WaybillExpressions
import WaybillManifests
import WaybillStore

struct EvalCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "eval",
        abstract: "Evaluate an expression, with the members of a JSON or YAML file as its variables.",
        discussion: """
            A run's run.json, a checkpoint's state or any other object will do:
              waybill eval 'inputs.version.startsWith("v")' runs/<run>/run.json
            """)

    @OptionGroup var options: GlobalOptions
    @Argument(help: "A CEL expression; ${{ }} around it is allowed.")
    var expression: String
    @Argument(help: "A JSON or YAML file, or - for the standard input.", completion: .file())
    var file: String?

    func run() throws {
        var variables = Object()
        if let file {
            guard let object = try InputReader.value(ofFile: file).objectValue else {
                throw CommandError.usage("\(file) holds no object, so it has no variables")
            }
            variables = object
        }
        let result: Value?
        do throws(CommandError) {
            result = try Evaluation.value(of: expression, with: variables)
        } catch {
            var error = error
            if file == nil, error.hint == nil {
                error.hint = "a JSON or YAML file behind the expression gives it variables"
            }
            throw error
        }
        if options.isJSON {
            options.console.output.json(result ?? .null)
        } else if case .string(let text)? = result {
            options.console.output.line(text)
        } else {
            options.console.output.prettyJSON(result ?? .null)
        }
    }
}

/// An expression of the command line.
enum Evaluation {
    /// - Returns: nil for an optional without value.
    static func value(of source: String, with variables: Object) throws(CommandError) -> Value? {
        let known = Declarations(Dictionary(uniqueKeysWithValues: variables.map { ($0.key, TypeShape.dyn) }))
        let expression: Expression
        do throws(InvalidExpression) {
            expression = try Expression.compile(
                bare(source), place: SourcePlace(file: "<expression>", line: 1, column: 1), declarations: known)
        } catch {
            let first = error.diagnostics.first
            throw CommandError(
                "expression", first?.message ?? "it is no expression", place: first?.place?.description,
                hint: first?.hint, status: .usage)
        }
        return try evaluate(expression, variables)
    }

    private static func evaluate(_ expression: Expression, _ variables: Object) throws(CommandError) -> Value? {
        do throws(ExpressionError) {
            return try expression.value(in: Variables(variables, zones: SystemZones()))
        } catch {
            throw CommandError("expression", error.description, place: error.place?.description)
        }
    }

    /// The text inside `${{ }}`, if that is around all of it.
    private static func bare(_ source: String) -> String {
        var text = source[...]
        while text.first?.isWhitespace == true { text.removeFirst() }
        while text.last?.isWhitespace == true { text.removeLast() }
        guard text.hasPrefix("${{"), text.hasSuffix("}}") else { return source }
        return String(text.dropFirst(3).dropLast(2))
    }
}

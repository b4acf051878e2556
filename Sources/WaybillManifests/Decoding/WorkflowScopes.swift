import WaybillCore
import WaybillExpressions

/// A place in a workflow where expressions stand: the names they may use, and what has happened by then.
struct ExpressionScope {
    enum Viewpoint {
        /// Before any step.
        case start
        /// When the step at this index is about to start.
        case before(Int)
        /// When the step at this index has ended.
        case after(Int)
        /// When the run ends; what is missing is left out there.
        case end
    }

    var declarations: Declarations
    var viewpoint: Viewpoint
    /// What the step's own `if` tells about other steps.
    var facts = ConditionFacts()
}

/// The scopes of one workflow.
struct WorkflowScopes {
    /// `inputs`, `context`, `run`, `trigger`: what is known at the start.
    let start: ExpressionScope
    /// The workflow's `env`, evaluated for each step.
    let workflow: ExpressionScope
    let end: ExpressionScope
    /// With the run's `outputs`.
    let acceptance: ExpressionScope
    private let step: Declarations

    init(
        inputs: [InputDefinition], variables: [VariableDefinition], context: Object, outline: StepOutline?
    ) {
        var names: [String: TypeShape] = [:]
        names["inputs"] = Self.object(inputs.map { ($0.name, TypeShape(schema: $0.schemaValue)) })
        names["context"] = TypeShape(of: .object(context))
        names["run"] = Self.run
        names["trigger"] = .openObject(["type": .string])
        start = ExpressionScope(declarations: Declarations(names), viewpoint: .start)

        names["vars"] = Self.object(variables.map { ($0.name, $0.merge == .append ? .list(.dyn) : .dyn) })
        workflow = ExpressionScope(declarations: Declarations(names.merging(Self.attempt) { $1 }), viewpoint: .start)

        names["steps"] = Self.object(
            (outline?.steps ?? []).filter { !$0.id.isEmpty }.map { ($0.id, Self.shape(of: $0)) })
        let everything = Declarations(names)
        end = ExpressionScope(declarations: everything, viewpoint: .end)
        acceptance = ExpressionScope(
            declarations: everything.adding("outputs", .map(key: .string, value: .dyn)), viewpoint: .end)
        step = Declarations(names.merging(Self.attempt) { $1 })
    }

    /// What a step's own fields may use before it starts.
    func before(_ index: Int) -> ExpressionScope {
        ExpressionScope(declarations: step, viewpoint: .before(index))
    }

    /// What `verify`, `update`, `next` and `finish` may use: also the step's own `output` and `error`.
    func after(_ index: Int, _ output: StepOutline.OutputShape) -> ExpressionScope {
        var declarations = step.adding("error", .dyn)
        if case .shape(let shape) = output { declarations = declarations.adding("output", shape) }
        return ExpressionScope(declarations: declarations, viewpoint: .after(index))
    }

    private static func object(_ fields: [(String, TypeShape)]) -> TypeShape {
        .object(Dictionary(fields, uniquingKeysWith: { first, _ in first }))
    }

    static let run = TypeShape.object([
        "id": .string, "startedBy": .nullable(.string), "startedAt": .string,
    ])
    private static let attempt: [String: TypeShape] = [
        "step": .object(["id": .string, "idempotencyKey": .string]), "attempt": .int, "visit": .int,
    ]
    private static let artifact = TypeShape.object([
        "name": .string, "sha256": .string, "size": .int, "mediaType": .string, "path": .string,
    ])

    /// `steps.<id>` (contract, Appendix A).
    private static func shape(of step: StepOutline.Step) -> TypeShape {
        var output = TypeShape.dyn
        if case .shape(let shape) = step.output { output = shape }
        return .object([
            "status": .string, "output": output, "exitCode": .int, "attempts": .int, "visits": .int, "error": .dyn,
            "artifacts": .list(artifact), "items": .list(.dyn), "answers": .list(.dyn),
        ])
    }
}

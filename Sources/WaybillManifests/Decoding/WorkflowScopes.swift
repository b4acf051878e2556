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
    /// Whether the value is kept out of the ledger here, so that it may be made of something sensitive.
    var takesSensitive = false

    /// The same place, for a value that is kept out of the ledger where it has to be.
    var takingSensitive: ExpressionScope {
        var copy = self
        copy.takesSensitive = true
        return copy
    }

    /// The same place with more names.
    func adding(_ names: [String: TypeShape]) -> ExpressionScope {
        var copy = self
        copy.declarations.variables.merge(names) { $1 }
        return copy
    }
}

/// The scopes of a workflow outside of its steps.
struct WorkflowScopes {
    /// `inputs`, `context`, `run`, `trigger`: what is known at the start.
    let start: ExpressionScope
    /// The workflow's `env` and `retry`, evaluated for each step.
    let workflow: ExpressionScope
    /// What every step's scope begins with.
    let names: [String: TypeShape]

    init(inputs: [InputDefinition], variables: [VariableDefinition], context: Object) {
        var names: [String: TypeShape] = [:]
        names["inputs"] = .object(of: inputs.map { ($0.name, TypeShape(schema: $0.schemaValue)) })
        names["context"] = TypeShape(of: .object(context))
        names["run"] = Self.run
        names["trigger"] = Self.trigger
        start = ExpressionScope(declarations: Declarations(names), viewpoint: .start)
        names["vars"] = .object(of: variables.map { ($0.name, $0.merge == .append ? .list(.dyn) : .dyn) })
        self.names = names
        workflow = ExpressionScope(declarations: Declarations(names.merging(Self.attempt) { $1 }), viewpoint: .start)
    }

    /// When the run ends, with what its steps came to.
    func end(_ steps: StepScopes?) -> ExpressionScope {
        let declarations = Declarations(names).adding("steps", steps?.steps ?? .object([:]))
        return ExpressionScope(declarations: declarations, viewpoint: .end)
    }

    static let run = TypeShape.object([
        "id": .string, "startedBy": .nullable(.string), "startedAt": .string,
    ])

    /// What started the run; a schedule's members are null for other triggers.
    static let trigger = TypeShape.object([
        "type": .string, "by": .nullable(.string), "scheduledAt": .nullable(.string), "local": .nullable(.string),
        "previousLocal": .nullable(.string), "zone": .nullable(.string), "event": .dyn,
    ])

    /// What an attempt knows about itself.
    static let attempt: [String: TypeShape] = [
        "step": .object(["id": .string, "idempotencyKey": .string]), "attempt": .int, "visit": .int,
    ]

    /// The error of a step or a run (contract, Appendix A): all that any kind of error may have.
    static let error = TypeShape.object([
        "step": .string, "kind": .string, "message": .string, "exitCode": .int, "signal": .int, "status": .int,
    ])
}

extension TypeShape {
    /// An object with exactly these members; of equal names the first counts.
    static func object(of fields: [(String, TypeShape)]) -> TypeShape {
        .object(Dictionary(fields, uniquingKeysWith: { first, _ in first }))
    }
}

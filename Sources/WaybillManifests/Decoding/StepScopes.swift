import WaybillCore
import WaybillExpressions

/// The scopes of the steps of one graph or machine.
struct StepScopes {
    let outline: StepOutline
    /// `steps`: the siblings, then those around, then those inside of groups, which are there to be pointed at.
    let steps: TypeShape
    /// What the steps see beside `steps`.
    private let names: [String: TypeShape]
    private let visible: [String: TypeShape]
    private let declarations: Declarations
    /// What the `if` of the groups around tells.
    private var facts = ConditionFacts()

    /// - Parameters:
    ///   - names: what the steps see beside `steps`.
    ///   - around: the steps around these, by id.
    init(_ outline: StepOutline, names: [String: TypeShape], around: [String: TypeShape] = [:]) {
        self.outline = outline
        self.names = names
        var visible = around
        for id in outline.innerPaths.keys where visible[id] == nil { visible[id] = .dyn }
        let siblings = outline.steps.filter { !$0.id.isEmpty }.map { ($0.id, Self.shape(of: $0)) }
        visible.merge(Dictionary(siblings, uniquingKeysWith: { first, _ in first })) { $1 }
        self.visible = visible
        steps = .object(visible)
        declarations = Declarations(names.merging(WorkflowScopes.attempt) { $1 }).adding("steps", steps)
    }

    /// The same names for steps inside of a step here, or after the steps here.
    ///
    /// - Parameter facts: what the `if` of the step around tells.
    func nested(
        _ inner: StepOutline, adding more: [String: TypeShape] = [:], facts: ConditionFacts = ConditionFacts()
    ) -> StepScopes {
        var scopes = StepScopes(inner, names: names.merging(more) { $1 }, around: names(for: inner))
        scopes.facts = facts
        // The same id inside means another step.
        scopes.facts.known.removeAll { $0.count > 1 && inner.indices[$0[1]] != nil }
        return scopes
    }

    /// What a step's own fields may use before it starts.
    func before(_ index: Int) -> ExpressionScope {
        ExpressionScope(declarations: declarations, viewpoint: .before(index), facts: facts)
    }

    /// What `verify`, `update`, `next` and `finish` may use: also the step's own `output` and `error`.
    func after(_ index: Int, _ output: StepOutline.OutputShape) -> ExpressionScope {
        var scope = ExpressionScope(
            declarations: declarations.adding("error", .nullable(WorkflowScopes.error)), viewpoint: .after(index),
            facts: facts)
        if case .shape(let shape) = output { scope.declarations.variables["output"] = shape }
        return scope
    }

    /// Up to so many names are handed to a group as they are.
    private static let fewNames = 200

    /// The names around a group that its steps may speak of. Where there are many, only those whose words stand in the
    /// group: to copy thousands of names into each of thousands of groups would make reading quadratic.
    private func names(for inner: StepOutline) -> [String: TypeShape] {
        guard visible.count > Self.fewNames else { return visible }
        var found: [String: TypeShape] = [:]
        for step in inner.steps {
            for member in step.fields.members { collect(member.node, into: &found) }
        }
        return found
    }

    private func collect(_ node: YAMLNode, into found: inout [String: TypeShape]) {
        switch node.content {
        case .scalar(let scalar):
            guard scalar.isString, scalar.text.utf8.contains(UInt8(ascii: ".")) else { return }
            for word in scalar.text.utf8.split(whereSeparator: { !$0.isWordByte }) {
                let name = String(Substring(word))
                if let shape = visible[name] { found[name] = shape }
            }
        case .sequence(let nodes): for node in nodes { collect(node, into: &found) }
        case .mapping(let members): for member in members { collect(member.node, into: &found) }
        }
    }

    private static let artifact = TypeShape.object([
        "name": .string, "sha256": .string, "size": .int, "mediaType": .string, "path": .string,
    ])
    private static let answer = TypeShape.object([
        "value": .dyn, "by": .dyn, "at": .string, "sha256": .nullable(.string), "source": .string,
    ])

    /// `steps.<id>` (contract, Appendix A).
    private static func shape(of step: StepOutline.Step) -> TypeShape {
        let output = step.output.shape
        var item = TypeShape.dyn
        if step.isLoop, case .list(let element) = output { item = element }
        return .object([
            "status": .string, "output": output, "exitCode": .nullable(.int), "attempts": .int, "visits": .int,
            "error": .nullable(WorkflowScopes.error), "artifacts": .list(artifact), "answers": .list(answer),
            "items": .list(
                .object([
                    "key": .string, "index": .int, "status": .string, "output": item,
                    "error": .nullable(WorkflowScopes.error),
                ])),
        ])
    }
}

extension UInt8 {
    fileprivate var isWordByte: Bool {
        switch self {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"):
            true
        default: false
        }
    }
}

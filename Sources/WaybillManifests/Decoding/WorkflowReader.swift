import WaybillCore
import WaybillExpressions

/// Makes a definition of a `kind: Workflow` whose shape was checked.
struct WorkflowReader {
    private let report: Report
    private let fields: Fields
    private let exists: (String) -> Bool
    private let values: ValueReader

    init(report: Report, fields: Fields, exists: @escaping (String) -> Bool) {
        self.report = report
        self.fields = fields
        self.exists = exists
        values = ValueReader(report: report)
    }

    /// Nil where the workflow is too broken to name its parts; everything that is wrong has been reported then.
    func read() -> WorkflowDefinition? {
        let inputs = inputs()
        let variables = variables()
        let context = values.object(fields.entries("context"))
        let outline = OutlineReader(report: report, fields: fields).read().map(withOutputs)
        let scopes = WorkflowScopes(inputs: inputs, variables: variables, context: context, outline: outline)
        let expressions = ExpressionReader(report: report, outline: outline)

        let environment = expressions.arguments(fields.entries("env"), in: scopes.workflow)
        let outputs = expressions.named(fields.entries("outputs"), in: scopes.end)
        let goal = goal(expressions, scopes)
        var steps: [StepDefinition?] = []
        if let outline {
            let reader = StepReader(
                report: report, expressions: expressions, values: values, scopes: scopes, outline: outline,
                variables: variables, folder: Paths.folder(of: report.path), exists: exists)
            steps = outline.steps.indices.map(reader.step)
        }
        guard let outline, let name = fields.text("name"), !report.hasErrors else { return nil }
        let mark = fields.node("name")?.mark ?? fields.mark
        var workflow = WorkflowDefinition(
            name: name, place: report.place(mark), sourcePath: report.path,
            plan: Plan(shape: outline.shape, steps: steps.compactMap { $0 }))
        workflow.labels = values.object(fields.entries("labels"))
        workflow.inputs = inputs
        workflow.context = context
        workflow.goal = goal
        workflow.variables = variables
        workflow.environment = environment
        workflow.files = fields.texts("files")
        workflow.checkpointEvery = fields.fields("checkpoint")?.integer("every")
        workflow.durability = fields.word("durability") ?? .full
        workflow.outputs = outputs
        return workflow
    }

    private func inputs() -> [InputDefinition] {
        fields.entries("inputs").compactMap { member in
            guard let (schema, value) = values.schema(member.node) else { return nil }
            var input = InputDefinition(
                name: member.key, place: report.place(member.keyMark), schema: schema, schemaValue: value)
            if let node = member.node.member("default")?.node {
                let value = node.value
                values.check(node, value: value, fits: schema, subject: "the default of `\(member.key)`")
                input.defaultValue = value
            }
            return input
        }
    }

    private func variables() -> [VariableDefinition] {
        fields.entries("vars").compactMap { member in
            guard let fields = Fields(member.node), let node = fields.node("default") else { return nil }
            let merge = fields.word("merge", VariableDefinition.Merge.self) ?? .replace
            let value = node.value
            if merge == .append, value.listValue == nil {
                report.error(
                    "`\(member.key)` is appended to, so its default must be a list, got \(Phrase.article(node.kindName))",
                    at: node.mark, hint: "write `default: []`")
            }
            return VariableDefinition(
                name: member.key, place: report.place(member.keyMark), defaultValue: value, merge: merge)
        }
    }

    private func goal(_ expressions: ExpressionReader, _ scopes: WorkflowScopes) -> GoalDefinition? {
        guard let goal = fields.fields("goal") else { return nil }
        let summary = goal.node("summary").flatMap { expressions.text($0, in: scopes.start) }
        let acceptance = goal.list("acceptance").compactMap { expressions.condition($0, in: scopes.acceptance) }
        return summary.map { GoalDefinition(summary: $0, acceptance: acceptance) }
    }

    /// Adds what each step will give to those after it.
    private func withOutputs(_ outline: StepOutline) -> StepOutline {
        var outline = outline
        for index in outline.steps.indices {
            outline.steps[index].output = StepOutline.OutputShape(of: outline.steps[index].fields)
        }
        return outline
    }
}

extension StepOutline.OutputShape {
    /// What a step's fields say about its output.
    init(of step: Fields) {
        if step.node("run") != nil {
            self = Self.ofProcess(step)
        } else if let ask = step.fields("ask") {
            self = .shape(Self.ofAnswer(ask))
        } else if step.node("set") != nil || step.node("snapshot") != nil {
            let names = step.entries("set").map { ($0.key, TypeShape.dyn) }
            self = .shape(names.isEmpty ? .dyn : .object(Dictionary(names, uniquingKeysWith: { first, _ in first })))
        } else {
            self = .none
        }
    }

    private static func ofProcess(_ step: Fields) -> Self {
        guard let node = step.node("output") else { return .none }
        let output = Fields(node)
        if let schema = output?.node("schema") { return .shape(TypeShape(schema: schema.value)) }
        switch node.text ?? output?.text("format") {
        case "lines": return .shape(.list(.string))
        case "text": return .shape(.string)
        default: return .shape(.dyn)
        }
    }

    private static func ofAnswer(_ ask: Fields) -> TypeShape {
        if let schema = ask.node("schema") { return TypeShape(schema: schema.value) }
        if ask.node("choices") != nil { return .string }
        if ask.node("approval") != nil { return .object(["approve": .bool, "comment": .string]) }
        return .dyn
    }
}

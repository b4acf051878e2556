import WaybillCore
import WaybillExpressions

/// Makes a definition of a `kind: Workflow` whose shape was checked.
struct WorkflowReader {
    private let report: Report
    private let fields: Fields
    private let exists: (String) -> Bool
    private let capability: (CapabilityReference) -> CapabilityDefinition?
    private let outputs: (String) -> [String]?
    private let values: ValueReader

    /// - Parameters:
    ///   - exists: whether a file stands at a path relative to the tree's root.
    ///   - capability: what a reference resolves to; nil where there is no such capability, or nobody knows yet.
    ///   - outputs: the names of the outputs that a workflow has.
    init(
        report: Report, fields: Fields, exists: @escaping (String) -> Bool,
        capability: @escaping (CapabilityReference) -> CapabilityDefinition? = { _ in nil },
        outputs: @escaping (String) -> [String]? = { _ in nil }
    ) {
        self.outputs = outputs
        self.report = report
        self.fields = fields
        self.exists = exists
        self.capability = capability
        values = ValueReader(report: report)
    }

    /// Nil where the workflow is too broken to name its parts; everything that is wrong has been reported then.
    func read() -> WorkflowDefinition? {
        let inputs = values.inputs(fields.entries("inputs"))
        let variables = variables()
        let context = values.object(fields.entries("context"))
        let outlines = outlines()
        let scopes = WorkflowScopes(inputs: inputs, variables: variables, context: context)
        let expressions = ExpressionReader(report: report, outline: outlines.plan)
        let plans = plans(outlines, scopes, variables)
        let environment = expressions.arguments(fields.entries("env"), in: scopes.workflow)
        let outputs = expressions.named(fields.entries("outputs"), in: plans.end)
        let goal = goal(expressions, scopes, plans.end)
        let concurrency = concurrency(expressions, scopes)
        let retry = fields.fields("retry").map {
            RetryReader(report: report, expressions: expressions).rule($0, in: scopes.workflow)
        }
        guard let name = fields.text("name"), let plan = plans.plan, !report.hasErrors else { return nil }
        let mark = fields.node("name")?.mark ?? fields.mark
        var workflow = WorkflowDefinition(
            name: name, place: report.place(mark), sourcePath: report.path, plan: plan)
        workflow.labels = values.object(fields.entries("labels"))
        workflow.inputs = inputs
        workflow.context = context
        workflow.goal = goal
        workflow.variables = variables
        workflow.environment = environment
        workflow.files = fields.texts("files")
        workflow.checkpointEvery = fields.fields("checkpoint")?.integer("every")
        workflow.durability = fields.word("durability") ?? .full
        workflow.concurrency = concurrency
        workflow.retry = retry
        if let limits = fields.fields("limits") { workflow.limits = LimitsDefinition(limits) }
        workflow.failure = fields.word("failure") ?? .compensate
        workflow.onPause = fields.word("onPause") ?? .keep
        if let rule = fields.fields("control").flatMap({ AnswererReader(report: report).rule(in: $0) }) {
            workflow.control = rule == AnswererRule() ? .none : rule
        }
        workflow.onFailure = plans.onFailure
        workflow.finally = plans.finally
        workflow.outputs = outputs
        var sensitive: Set<String> = []
        workflow.visitSteps { if $0.step.output?.isSensitive == true { sensitive.insert($0.step.id) } }
        workflow.sensitiveSteps = sensitive
        return workflow
    }

    // MARK: - Plans

    private struct Outlines {
        var plan: StepOutline?
        var onFailure: StepOutline?
        var finally: StepOutline?
    }

    private struct Plans {
        var plan: Plan?
        var onFailure: Plan?
        var finally: Plan?
        /// When the run ends.
        var end: ExpressionScope
    }

    /// What comes after what, in the plan and in the graphs that follow it.
    private func outlines() -> Outlines {
        let reader = OutlineReader(report: report, outputs: OutputShapes(capability: capability, outputs: outputs))
        var outlines = Outlines()
        outlines.plan = reader.plan(fields)
        var others = [outlines.plan].compactMap { $0 }
        if fields.node("onFailure") != nil {
            let outline = reader.graph(fields.list("onFailure"), beside: others)
            outline.follow(outlines.plan)
            refuseFinish(in: outline, of: "onFailure")
            outlines.onFailure = outline
            others.append(outline)
        }
        if fields.node("finally") != nil {
            let outline = reader.graph(fields.list("finally"), beside: others)
            outline.follow(outlines.onFailure ?? outlines.plan)
            refuseFinish(in: outline, of: "finally")
            refuseCompensation(in: outline)
            outlines.finally = outline
        }
        return outlines
    }

    /// A run that is ending cannot be completed early.
    private func refuseFinish(in outline: StepOutline, of field: String) {
        for step in outline.steps {
            if let finish = step.fields.member("finish") {
                report.error(
                    "`finish` means nothing in `\(field)`: the run is ending", at: finish.keyMark,
                    hint: "a run that failed stays failed; remove it")
            }
            if let inner = step.inner { refuseFinish(in: inner, of: field) }
        }
    }

    /// The run was undone, or was not, before these begin.
    private func refuseCompensation(in outline: StepOutline) {
        for step in outline.steps {
            if let undo = step.fields.member("compensate") {
                report.error(
                    "`compensate` means nothing in `finally`: nothing is undone after it", at: undo.keyMark,
                    hint: "remove it")
            }
            if let inner = step.inner { refuseCompensation(in: inner) }
        }
    }

    private func plans(
        _ outlines: Outlines, _ scopes: WorkflowScopes, _ variables: [VariableDefinition]
    ) -> Plans {
        let context = ReadingContext(
            report: report, variables: variables, exists: exists, capability: capability, outputs: outputs)
        guard let outline = outlines.plan else { return Plans(end: scopes.end(nil)) }
        let steps = StepScopes(outline, names: scopes.names)
        var plans = Plans(plan: StepReader(context, steps).plan(), end: scopes.end(steps))
        var last = steps
        if let outline = outlines.onFailure {
            last = last.nested(outline, adding: ["error": WorkflowScopes.error])
            plans.onFailure = StepReader(context, last).plan()
        }
        if let outline = outlines.finally {
            let scopes = last.nested(outline, adding: ["error": .nullable(WorkflowScopes.error)])
            plans.finally = StepReader(context, scopes).plan()
        }
        return plans
    }

    // MARK: - Parts

    private func concurrency(
        _ expressions: ExpressionReader, _ scopes: WorkflowScopes
    ) -> ConcurrencyDefinition? {
        guard let concurrency = fields.fields("concurrency") else { return nil }
        let group = concurrency.node("group").flatMap { expressions.text($0, in: scopes.start) }
        return group.map {
            ConcurrencyDefinition(
                group: $0, limit: concurrency.integer("limit") ?? 1, onLimit: concurrency.word("onLimit") ?? .queue)
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

    private func goal(
        _ expressions: ExpressionReader, _ scopes: WorkflowScopes, _ end: ExpressionScope
    ) -> GoalDefinition? {
        guard let goal = fields.fields("goal") else { return nil }
        let summary = goal.node("summary").flatMap { expressions.text($0, in: scopes.start) }
        let outputs = TypeShape.object(of: fields.entries("outputs").map { ($0.key, .dyn) })
        let acceptance = goal.list("acceptance").compactMap {
            expressions.condition($0, in: end.adding(["outputs": outputs]))
        }
        return summary.map { GoalDefinition(summary: $0, acceptance: acceptance) }
    }
}

extension LimitsDefinition {
    /// Fields that are wrong read as absent.
    init(_ limits: Fields) {
        self.init()
        steps = limits.integer("steps")
        retries = limits.integer("retries")
        elapsed = limits.duration("elapsed")
        active = limits.duration("active")
        cost = limits.scalar("cost")?.value.numberValue
        tokens = limits.integer("tokens")
    }
}

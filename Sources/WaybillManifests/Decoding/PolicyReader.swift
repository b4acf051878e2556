import WaybillCore
import WaybillExpressions

/// Makes a definition of a `kind: Policy` whose shape was checked.
struct PolicyReader {
    let report: Report
    let fields: Fields

    /// What a rule sees before a step (contract, section 4).
    private static let scope = ExpressionScope(
        declarations: Declarations([
            "step": .object([
                "id": .string, "action": .string, "capability": .dyn, "sideEffects": .string, "argv": .list(.string),
                "shell": .bool, "with": .dyn, "http": .dyn, "env": .dyn, "secrets": .list(.string),
            ]),
            "run": WorkflowScopes.run, "inputs": .dyn, "context": .dyn,
        ]), viewpoint: .start)

    /// Nil where it has no name.
    func read() -> PolicyDefinition? {
        let expressions = ExpressionReader(report: report, outline: nil)
        if fields.text("binds") == "running", let node = fields.node("binds") {
            report.error(
                "`binds: running` is not carried out by this version yet", at: node.mark, hint: "write `binds: start`")
        }
        let rules = rules(expressions)
        guard let name = fields.text("name") else { return nil }
        let mark = fields.node("name")?.mark ?? fields.mark
        var policy = PolicyDefinition(name: name, place: report.place(mark), sourcePath: report.path)
        policy.match = match()
        policy.rules = rules
        policy.mode = fields.word("mode") ?? .enforce
        return policy
    }

    private func match() -> PolicyMatch {
        var match = PolicyMatch()
        let fields = fields.fields("match")
        if let workflows = fields?.fields("workflows") {
            match.workflowNames = workflows.texts("names")
            match.workflowLabels = ValueReader(report: report).object(workflows.entries("labels"))
        }
        if let steps = fields?.fields("steps") {
            match.stepIDs = steps.texts("ids")
            match.actions = steps.texts("actions")
        }
        return match
    }

    private func rules(_ expressions: ExpressionReader) -> [PolicyRule] {
        var first: [String: YAMLMark] = [:]
        return fields.list("rules").compactMap { node in
            guard let fields = Fields(node) else { return nil }
            checkPoint(fields)
            let condition = fields.node("if").flatMap { expressions.condition($0, in: Self.scope) }
            let deny = fields.node("deny").flatMap { expressions.condition($0, in: Self.scope) }
            let message = fields.node("message").flatMap { expressions.text($0, in: Self.scope) }
            guard let id = fields.text("id"), let mark = fields.node("id")?.mark else { return nil }
            if let other = first.updateValue(mark, forKey: id) {
                report.error("the id `\(id)` is taken in line \(other.line)", at: mark, hint: "rename one of the two")
            }
            return deny.map {
                PolicyRule(
                    id: id, place: report.place(mark), condition: condition, verdict: .deny($0), message: message)
            }
        }
    }

    private func checkPoint(_ fields: Fields) {
        guard let node = fields.node("at"), let point = node.text else {
            if fields.node("deny") != nil, fields.node("at") == nil {
                report.error("a rule with `deny` needs `at`", at: fields.mark, hint: "write `at: step.before`")
            }
            return
        }
        if Grammar.rulePoints.contains(point), point != "step.before" {
            report.error(
                "`at: \(point)` is not carried out by this version yet", at: node.mark, hint: "write `at: step.before`")
        }
    }
}

/// Makes settings of a `kind: Settings` whose shape was checked.
struct SettingsReader {
    let report: Report
    let fields: Fields

    func read() -> SettingsDefinition {
        var settings = SettingsDefinition()
        settings.place = report.place(fields.mark)
        if let concurrency = fields.fields("concurrency") {
            settings.concurrentRuns = concurrency.integer("runs") ?? settings.concurrentRuns
            settings.concurrentSteps = concurrency.integer("steps") ?? settings.concurrentSteps
        }
        for member in fields.entries("env") {
            guard let scalar = member.node.scalar, !scalar.value.isNull else { continue }
            if scalar.text.holdsTemplate {
                report.error("`\(member.key)` takes no `${{ }}`", at: member.node.mark, hint: "write the value itself")
            }
            settings.environment.append((member.key, scalar.text))
        }
        return settings
    }
}

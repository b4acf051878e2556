import WaybillCore
import WaybillExpressions

/// Makes a definition of a `kind: Policy` whose shape was checked.
struct PolicyReader {
    let report: Report
    let fields: Fields

    /// Nil where it has no name.
    func read() -> PolicyDefinition? {
        let rules = rules()
        let cases = PolicyCaseReader(report: report, fields: fields).read()
        guard let name = fields.text("name") else { return nil }
        let mark = fields.node("name")?.mark ?? fields.mark
        var policy = PolicyDefinition(name: name, place: report.place(mark), sourcePath: report.path)
        policy.match = match()
        policy.rules = rules
        policy.mode = fields.word("mode") ?? .enforce
        policy.binding = fields.word("binds") ?? .start
        policy.cases = cases
        return policy
    }

    /// Where the names of workflows stand, which must name one of the tree's.
    static func workflowNames(_ fields: Fields) -> [YAMLNode] {
        fields.fields("match")?.fields("workflows")?.list("names") ?? []
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

    // MARK: - Rules

    private func rules() -> [PolicyRule] {
        var first: [String: YAMLMark] = [:]
        return fields.list("rules").compactMap { node in
            guard let fields = Fields(node) else { return nil }
            let point = point(fields)
            let scope = PolicyScopes.scope(at: point)
            let expressions = ExpressionReader(report: report, outline: nil)
            let condition = fields.node("if").flatMap { expressions.condition($0, in: scope) }
            let verdict = RuleVerdictReader(report: report, expressions: expressions, scope: scope, point: point)
                .read(fields)
            let message = fields.node("message").flatMap { expressions.text($0, in: scope) }
            guard let id = fields.text("id"), let mark = fields.node("id")?.mark else { return nil }
            if let other = first.updateValue(mark, forKey: id) {
                report.error("the id `\(id)` is taken in line \(other.line)", at: mark, hint: "rename one of the two")
            }
            guard let verdict else { return nil }
            var rule = PolicyRule(
                id: id, place: report.place(mark), point: point, condition: condition, verdict: verdict,
                message: message)
            // A number that JSON cannot hold was refused with the shapes.
            rule.digest = (try? JSON.canonical(node.value)).map { Digest.sha256($0).hex } ?? ""
            return rule
        }
    }

    private func point(_ fields: Fields) -> PolicyRule.Point {
        guard let member = fields.member("at") else {
            if let verdict = ["deny", "require"].first(where: { fields.node($0) != nil }) {
                report.error("a rule with `\(verdict)` needs `at`", at: fields.mark, hint: "write `at: step.before`")
            }
            return .before
        }
        if fields.node("limit") != nil {
            report.error(
                "`at` means nothing for `limit`, which is checked before each step", at: member.keyMark,
                hint: "remove `at`")
            return .before
        }
        return fields.word("at") ?? .before
    }
}

/// Makes what a rule says of its `deny`, `require` or `limit`.
private struct RuleVerdictReader {
    let report: Report
    let expressions: ExpressionReader
    let scope: ExpressionScope
    let point: PolicyRule.Point

    /// Nil after reporting why.
    func read(_ rule: Fields) -> PolicyRule.Verdict? {
        if let node = rule.node("deny") { return expressions.condition(node, in: scope).map { .deny($0) } }
        if let limit = rule.member("limit") { return budget(limit).map { .limit($0) } }
        guard let require = rule.fields("require") else { return nil }
        if let approval = require.member("approval") { return self.approval(approval).map { .approval($0) } }
        let nodes = require.list("verification")
        let conditions = nodes.compactMap { expressions.condition($0, in: scope) }
        return conditions.isEmpty ? nil : .verification(conditions)
    }

    private func approval(_ member: YAMLMember) -> ApprovalRequirement? {
        guard let fields = Fields(member.node) else { return nil }
        if point != .before, point != .admission {
            report.error(
                "an approval stands before a step or a run, and `at: \(point.rawValue)` is no such place",
                at: member.keyMark,
                hint: "write `at: step.before`")
        }
        let prompt = fields.node("prompt").flatMap { expressions.text($0, in: scope) }
        return ApprovalRequirement(
            prompt: prompt, timeout: fields.duration("timeout"),
            from: AnswererReader(report: report).rule(in: fields, isApproval: true))
    }

    private func budget(_ member: YAMLMember) -> LimitsDefinition? {
        guard let fields = Fields(member.node) else { return nil }
        if fields.members.isEmpty {
            report.error(
                "`limit` is empty", at: member.node.mark,
                hint: "it may have `steps`, `retries`, `elapsed`, `active`, `cost` and `tokens`")
        }
        return LimitsDefinition(fields)
    }
}

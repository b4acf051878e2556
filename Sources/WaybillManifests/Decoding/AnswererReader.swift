import WaybillCore

/// Makes rules of `from`, wherever it stands.
struct AnswererReader {
    let report: Report

    /// Nil without `from`.
    ///
    /// - Parameters:
    ///   - fields: what `from` stands in.
    ///   - outline: of the step, whose names `notBy` may use; nil where there are none.
    ///   - isApproval: whether the question is an approval, whose answers can be counted; nil where nothing is asked.
    func rule(in fields: Fields, outline: StepOutline? = nil, isApproval: Bool? = nil) -> AnswererRule? {
        guard let member = fields.member("from"), let from = Fields(member.node) else { return nil }
        var rule = AnswererRule()
        rule.users = from.texts("users")
        rule.groups = from.texts("groups")
        rule.signers = from.texts("signers")
        rule.quorum = from.integer("quorum") ?? 1
        rule.notStarter = from.flag("notStarter") ?? false
        rule.notBy = from.texts("notBy")
        rule.allowsSelf = from.flag("self") ?? false
        if from.members.isEmpty, isApproval != nil {
            report.error(
                "`from` names nobody", at: member.keyMark, hint: "write `from: {groups: [release]}`, or remove it")
        }
        if rule.quorum > 1, isApproval == false {
            report.error(
                "`quorum` counts approvals, and this question is none", at: from.node("quorum")?.mark ?? from.mark,
                hint: "write `approval: true` beside the prompt")
        }
        if rule.quorum > rule.users.count, rule.groups.isEmpty, rule.signers.isEmpty, !rule.users.isEmpty {
            report.error(
                "\(rule.quorum) people must approve, and `users` names \(rule.users.count)",
                at: from.node("quorum")?.mark ?? from.mark, hint: "name more people, or lower `quorum`")
        }
        for node in from.list("notBy") { check(node, outline) }
        return rule
    }

    /// A step that nobody answers excludes nobody, which must not be found out when it matters.
    private func check(_ node: YAMLNode, _ outline: StepOutline?) {
        guard let name = node.text, var around = outline else { return }
        var names: [String] = []
        while true {
            if let index = around.indices[name] {
                let step = around.steps[index]
                guard !Self.asks(step) else { return }
                return report.error(
                    "nobody answers the step `\(name)`: it asks nothing", at: node.mark,
                    hint: "`notBy` names steps with `ask`")
            }
            names += around.steps.filter(Self.asks).map(\.id)
            switch around.surroundings {
            case .none:
                return report.error(
                    "there is no step `\(name)` here", at: node.mark, hint: Suggestion.hint(for: name, among: names))
            case .group(let outer, _), .after(let outer): around = outer
            }
        }
    }

    private static func asks(_ step: StepOutline.Step) -> Bool {
        if step.isLoop { return false }
        if step.fields.node("ask") != nil { return true }
        return step.fields.entries("first").contains { Fields($0.node)?.node("ask") != nil }
    }
}

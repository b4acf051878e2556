import WaybillCore

/// Reads a policy's own table of cases.
struct PolicyCaseReader {
    let report: Report
    /// Of the policy.
    let fields: Fields

    func read() -> [PolicyCase] {
        let rules = fields.list("rules").compactMap { Fields($0)?.text("id") }
        var first: [String: YAMLMark] = [:]
        return fields.list("tests").compactMap { node in
            guard let fields = Fields(node) else { return nil }
            checkRule(fields, among: rules)
            let point = fields.word("at", PolicyRule.Point.self)
            if let point { checkGiven(fields, at: point) }
            guard let name = fields.text("name"), let mark = fields.node("name")?.mark, let point,
                let verdict = fields.text("expect")
            else { return nil }
            if let other = first.updateValue(mark, forKey: name) {
                report.error(
                    "the name \(Phrase.quoted(name)) is taken in line \(other.line)", at: mark,
                    hint: "rename one of the two")
            }
            return PolicyCase(
                name: name, place: report.place(mark), point: point,
                given: fields.node("given")?.value.objectValue ?? Object(), verdict: verdict,
                rule: fields.text("rule"))
        }
    }

    private func checkRule(_ fields: Fields, among rules: [String]) {
        guard let member = fields.member("rule"), let id = member.node.text, Names.isID(id) else { return }
        if fields.text("expect") == "allow" {
            report.error(
                "no rule allows: what no rule denies is allowed", at: member.keyMark, hint: "remove `rule`")
        } else if !rules.contains(id) {
            report.error(
                "`rule` names `\(id)`, which is no rule of this policy", at: member.node.mark,
                hint: Suggestion.hint(for: id, among: rules))
        }
    }

    private func checkGiven(_ fields: Fields, at point: PolicyRule.Point) {
        let seen = PolicyScopes.variables(at: point).keys.sorted()
        for member in fields.entries("given") where Grammar.givenNames.contains(member.key) {
            if !seen.contains(member.key) {
                report.error(
                    "there is no `\(member.key)` at `\(point.rawValue)`", at: member.keyMark,
                    hint: "rules see \(Phrase.enumeration(seen)) there")
            }
        }
    }
}

import WaybillCore

/// Finds modifiers that mean nothing for a step's action, or contradict each other.
struct ModifierCheck {
    let report: Report
    let outline: StepOutline

    func check(_ step: StepOutline.Step) {
        guard let action = step.action, Grammar.step.field(action)?.isOffered == true else { return }
        for member in step.fields.members {
            guard let field = Grammar.step.field(member.key), !field.actions.isEmpty else { continue }
            if !field.actions.contains(action) {
                report.error(
                    "`\(member.key)` means nothing for `\(action)`", at: member.keyMark,
                    hint: "it belongs to \(Phrase.alternatives(field.actions))")
            }
        }
    }
}

import WaybillCore

/// Finds modifiers that mean nothing for a step's action, or contradict each other.
struct ModifierCheck {
    let report: Report
    let outline: StepOutline

    func check(_ step: StepOutline.Step) {
        guard let action = step.action, Grammar.step.field(action)?.isOffered == true else { return }
        check(step.fields, of: Grammar.step, for: action)
        checkWait(step)
        checkRepetition(step)
        checkCatches(step)
        checkCompensation(step)
        checkSensitive(step)
    }

    private func checkSensitive(_ step: StepOutline.Step) {
        guard step.isSensitive, let mark = step.fields.fields("output")?.member("sensitive")?.keyMark else { return }
        if step.isLoop {
            report.error(
                "`sensitive` means nothing for a step with `forEach`: the outputs of items are recorded together",
                at: mark, hint: "put the step into a group that is repeated: `forEach` with `steps`")
        } else if step.fields.node("run") == nil {
            report.error("`sensitive` belongs to a step with `run`", at: mark)
        }
    }

    private func check(_ fields: Fields, of table: FieldTable, for action: String) {
        for member in fields.members {
            guard let field = table.field(member.key), !field.actions.isEmpty, !field.actions.contains(action) else {
                continue
            }
            let isWaiting = field.name == "retry" && ["ask", "wait", "first"].contains(action)
            report.error(
                "`\(member.key)` means nothing for `\(action)`", at: member.keyMark,
                hint: isWaiting
                    ? "waiting steps are not retried; it belongs to \(Phrase.alternatives(field.actions))"
                    : "it belongs to \(Phrase.alternatives(field.actions))")
        }
    }

    // MARK: - Waits

    /// Only a job's poll is a process or a request; the clock and events leave nothing to undo.
    private func checkWait(_ step: StepOutline.Step) {
        guard let wait = step.fields.fields("wait") else { return }
        if let job = wait.fields("job") {
            guard job.fields("poll")?.node("http") != nil else { return }
            refuse(
                ["env", "secrets", "output"], of: step, "a poll over `http`", hint: "it belongs to a poll with `run`")
            if let limits = job.fields("poll")?.member("limits") {
                report.error(
                    "`limits` means nothing for a poll over `http`", at: limits.keyMark,
                    hint: "it belongs to a poll with `run`")
            }
        } else if wait.node("event") != nil {
            refuse(
                ["env", "secrets", "output"], of: step, "a wait for an event",
                hint: "it belongs to `run`, or to a `job`")
            refuse(["compensate"], of: step, "a wait for an event", hint: "a wait leaves nothing to undo")
        } else {
            refuse(
                ["env", "secrets", "output"], of: step, "a wait for the clock",
                hint: "it belongs to `run`, or to a `job`")
            refuse(["compensate"], of: step, "a wait for the clock", hint: "a wait leaves nothing to undo")
            refuse(["timeout"], of: step, "a wait for the clock", hint: "`for` or `until` says when it ends")
        }
    }

    private func refuse(_ names: [String], of step: StepOutline.Step, _ what: String, hint: String) {
        for name in names {
            guard let member = step.fields.member(name) else { continue }
            report.error("`\(name)` means nothing for \(what)", at: member.keyMark, hint: hint)
        }
    }

    // MARK: - Repetition

    private func checkRepetition(_ step: StepOutline.Step) {
        let fields = step.fields
        if step.isLoop, let repetition = fields.member("while") {
            report.error(
                "`while` and `forEach` stand side by side, and a step is repeated by one of them",
                at: repetition.keyMark, hint: "put what is repeated inside into `steps: [...]`")
        }
        if outline.shape == .graph, let visits = fields.member("maxVisits"), fields.node("while") == nil {
            report.error(
                "`maxVisits` means nothing without `while`: a step of a graph is visited once", at: visits.keyMark,
                hint: "remove it")
        }
        if step.isLoop, let id = fields.fields("call")?.member("id"), id.node.text?.holdsTemplate == false {
            report.error(
                "every item would start the same sub-run: `id` is the same for all of them", at: id.node.mark,
                hint: "remove `id`, or name the item in it, as in `\(id.node.text ?? "run")-${{ index }}`")
        }
    }

    // MARK: - Ways out

    private func checkCatches(_ step: StepOutline.Step) {
        let entries = step.fields.list("catch").compactMap { Fields($0) }
        for entry in entries {
            guard let to = entry.member("to") else { continue }
            if outline.shape == .graph {
                report.error(
                    "`to` belongs to `states`; in `steps` an entry of `catch` has an `output`", at: to.keyMark,
                    hint: "write `output: null`, or let a step with `needs: [{step: \(step.id), when: failed}]` go on")
            } else if step.isLoop {
                report.error(
                    "an item of `forEach` cannot lead to another state", at: to.keyMark,
                    hint: "give the entry an `output`, and choose the way in `next`")
            }
        }
        if let index = entries.dropLast().firstIndex(where: { $0.node("if") == nil }) {
            report.error(
                "this entry of `catch` is never reached: the one before has no condition", at: entries[index + 1].mark,
                hint: "give the entry before an `if`, or remove this one")
        }
    }

    private func checkCompensation(_ step: StepOutline.Step) {
        guard let undo = step.fields.fields("compensate") else { return }
        guard let action = Grammar.compensatingActions.first(where: { undo.node($0) != nil }) else { return }
        check(undo, of: Grammar.compensation, for: action)
    }
}

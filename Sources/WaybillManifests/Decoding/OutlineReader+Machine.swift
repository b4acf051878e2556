import WaybillCore

// Machines: states and the ways between them.

extension OutlineReader {
    /// What `next` and `catch` may name.
    private struct Targets {
        let indices: [String: Int]
        /// For whoever names none of them.
        let names: [String]

        init(_ indices: [String: Int]) {
            self.indices = indices
            names = indices.keys.sorted() + ["end"]
        }
    }

    func machine(_ fields: Fields) -> StepOutline? {
        var steps: [StepOutline.Step] = []
        for member in fields.entries("states") {
            guard let state = Fields(member.node) else { continue }
            if member.key == "end" {
                report.error(
                    "`end` completes the run and cannot name a state", at: member.keyMark, hint: "rename the state")
            }
            steps.append(step(id: Names.isID(member.key) ? member.key : "", mark: member.keyMark, fields: state))
        }
        guard !steps.isEmpty else { return nil }
        let indices = indices(steps)
        let all = Targets(indices)
        for index in steps.indices { steps[index].targets = targets(of: steps[index], all) }
        let start = start(fields, steps, indices)
        let next = steps.map(\.targets)
        let order = MachineOrder(start: start, next: next, traits: traits(steps))
        for (index, step) in steps.enumerated() where !order.isReached(index) && !step.id.isEmpty {
            report.error(
                "the state `\(step.id)` is never reached", at: step.mark,
                hint: "name it in a `next` of a state that is, or remove it")
        }
        return StepOutline(shape: .machine(start: start), steps: steps, order: .machine(order))
    }

    private func start(_ fields: Fields, _ steps: [StepOutline.Step], _ indices: [String: Int]) -> Int {
        guard let node = fields.node("start"), let id = node.text, Names.isID(id) else { return 0 }
        if let index = indices[id] { return index }
        report.error(
            "`start` names the state `\(id)`, which does not exist", at: node.mark,
            hint: Suggestion.hint(for: id, among: steps.lazy.map(\.id)))
        return 0
    }

    private func targets(of step: StepOutline.Step, _ all: Targets) -> [Int] {
        next(of: step, all) + catches(of: step, all)
    }

    private func catches(of step: StepOutline.Step, _ all: Targets) -> [Int] {
        step.fields.list("catch").compactMap { Fields($0)?.node("to") }
            .compactMap { target($0, all, field: "catch") }
    }

    private func next(of step: StepOutline.Step, _ all: Targets) -> [Int] {
        let endsRun = ["fail", "finish"].contains(step.action) && step.fields.flag("continueOnError") != true
        guard let next = step.fields.member("next") else {
            if !endsRun, step.action != nil {
                report.error(
                    "the state `\(step.id)` needs `next`", at: step.mark,
                    hint: "write `next: end` if it is the last one")
            }
            return []
        }
        if endsRun, let action = step.action {
            report.error("nothing comes after `\(action)`, which ends the run", at: next.keyMark, hint: "remove `next`")
        }
        if next.node.text != nil { return [target(next.node, all)].compactMap { $0 } }
        let entries = step.fields.list("next").compactMap { Fields($0) }
        checkConditions(entries)
        return entries.compactMap { $0.node("to") }.compactMap { target($0, all) }
    }

    private func checkConditions(_ entries: [Fields]) {
        guard let last = entries.last else { return }
        if last.node("if") != nil {
            report.error(
                "the last entry of `next` has a condition, so the run could be stuck", at: last.mark,
                hint: "add an entry without `if`, such as `{to: end}`")
        }
        if let index = entries.dropLast().firstIndex(where: { $0.node("if") == nil }) {
            report.error(
                "this entry of `next` is never reached: the one before has no condition", at: entries[index + 1].mark,
                hint: "give the entry before an `if`, or remove this one")
        }
    }

    /// The index of a state; nil for `end` and after reporting one that does not exist.
    private func target(_ node: YAMLNode, _ all: Targets, field: String = "next") -> Int? {
        guard let id = node.text, Names.isID(id), id != "end" else { return nil }
        if let index = all.indices[id] { return index }
        report.error(
            "`\(field)` names the state `\(id)`, which does not exist", at: node.mark,
            hint: Suggestion.hint(for: id, among: all.names))
        return nil
    }
}

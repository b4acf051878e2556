import WaybillCore

/// Reads the ids of a workflow's steps or states and the ways between them.
struct OutlineReader {
    let report: Report
    let fields: Fields

    func read() -> StepOutline? {
        if fields.node("states") != nil { return machine() }
        guard fields.node("steps") != nil else { return nil }
        if let start = fields.member("start") {
            report.error("`start` belongs to `states`; in `steps` the order follows from `needs`", at: start.keyMark)
        }
        return graph()
    }

    private func traits(_ steps: [StepOutline.Step]) -> [StepOrder.Traits] {
        steps.map { step in
            StepOrder.Traits(
                hasCondition: step.fields.node("if") != nil,
                continuesOnError: step.fields.flag("continueOnError") == true)
        }
    }

    /// Names by index; of equal ones the first.
    private func indices(_ steps: [StepOutline.Step]) -> [String: Int] {
        var indices: [String: Int] = [:]
        for (index, step) in steps.enumerated() where !step.id.isEmpty && indices[step.id] == nil {
            indices[step.id] = index
        }
        return indices
    }
}

// MARK: - Graphs

extension OutlineReader {
    private func graph() -> StepOutline {
        var steps: [StepOutline.Step] = []
        var first: [String: YAMLMark] = [:]
        for node in fields.list("steps") {
            guard let step = Fields(node) else { continue }
            let id = step.text("id") ?? ""
            let mark = step.node("id")?.mark ?? step.mark
            if !id.isEmpty, let other = first[id] {
                report.error("the id `\(id)` is taken in line \(other.line)", at: mark, hint: "rename one of the two")
            } else {
                first[id] = mark
            }
            steps.append(StepOutline.Step(id: id, mark: mark, fields: step))
        }
        let indices = indices(steps)
        for index in steps.indices { steps[index].needs = needs(of: index, steps, indices) }
        let needs = steps.map(\.needs)
        let (order, cycles) = StepOrder.sorted(needs: needs)
        for cycle in cycles { report(cycle, steps) }
        return StepOutline(
            shape: .graph, steps: steps, order: .graph(needs: needs, traits: traits(steps), order: order))
    }

    private func needs(of index: Int, _ steps: [StepOutline.Step], _ indices: [String: Int]) -> [Need] {
        let step = steps[index]
        guard let node = step.fields.node("needs") else {
            return index == 0 ? [] : [Need(step: index - 1, when: .completed)]
        }
        var needs: [Need] = []
        let entries = node.text != nil ? [node] : step.fields.list("needs")
        for entry in entries {
            let fields = Fields(entry)
            let target = fields?.node("step") ?? entry
            guard let id = target.text, Names.isID(id) else { continue }
            guard let need = indices[id] else {
                let others = steps.map(\.id).filter { $0 != step.id && !$0.isEmpty }
                report.error(
                    "`needs` names the step `\(id)`, which does not exist", at: target.mark,
                    hint: Suggestion.hint(for: id, among: others))
                continue
            }
            if needs.contains(where: { $0.step == need }) {
                report.error("`needs` names `\(id)` twice", at: target.mark, hint: "remove one of the two")
                continue
            }
            needs.append(Need(step: need, when: fields?.word("when") ?? .completed))
        }
        return needs
    }

    private func report(_ cycle: [Int], _ steps: [StepOutline.Step]) {
        guard let first = cycle.first else { return }
        let way = (cycle + [first]).map { "`\(steps[$0].id)`" }.joined(separator: " needs ")
        let mark = steps[first].fields.node("needs")?.mark ?? steps[first].mark
        report.error("`needs` goes round in a circle: \(way)", at: mark, hint: "remove one of these needs")
    }
}

// MARK: - Machines

extension OutlineReader {
    private func machine() -> StepOutline? {
        var steps: [StepOutline.Step] = []
        for member in fields.entries("states") {
            guard let step = Fields(member.node) else { continue }
            if member.key == "end" {
                report.error(
                    "`end` completes the run and cannot name a state", at: member.keyMark, hint: "rename the state")
            }
            steps.append(
                StepOutline.Step(id: Names.isID(member.key) ? member.key : "", mark: member.keyMark, fields: step))
        }
        guard !steps.isEmpty else { return nil }
        let indices = indices(steps)
        for index in steps.indices { steps[index].targets = targets(of: steps[index], indices) }
        let start = start(steps, indices)
        let next = steps.map(\.targets)
        let reachable = Set(StepOrder.reversePostOrder(start: start, next: next))
        for (index, step) in steps.enumerated() where !reachable.contains(index) && !step.id.isEmpty {
            report.error(
                "the state `\(step.id)` is never reached", at: step.mark,
                hint: "name it in a `next` of a state that is, or remove it")
        }
        return StepOutline(
            shape: .machine(start: start), steps: steps,
            order: .machine(start: start, next: next, traits: traits(steps)))
    }

    private func start(_ steps: [StepOutline.Step], _ indices: [String: Int]) -> Int {
        guard let node = fields.node("start"), let id = node.text, Names.isID(id) else { return 0 }
        if let index = indices[id] { return index }
        report.error(
            "`start` names the state `\(id)`, which does not exist", at: node.mark,
            hint: Suggestion.hint(for: id, among: steps.map(\.id)))
        return 0
    }

    private func targets(of step: StepOutline.Step, _ indices: [String: Int]) -> [Int] {
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
        if next.node.text != nil { return [target(next.node, indices)].compactMap { $0 } }
        let entries = step.fields.list("next").compactMap { Fields($0) }
        checkConditions(entries)
        return entries.compactMap { $0.node("to") }.compactMap { target($0, indices) }
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
    private func target(_ node: YAMLNode, _ indices: [String: Int]) -> Int? {
        guard let id = node.text, Names.isID(id), id != "end" else { return nil }
        if let index = indices[id] { return index }
        report.error(
            "`next` names the state `\(id)`, which does not exist", at: node.mark,
            hint: Suggestion.hint(for: id, among: indices.keys.sorted() + ["end"]))
        return nil
    }
}

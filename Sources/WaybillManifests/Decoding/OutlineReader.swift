import WaybillCore

/// Reads the ids of steps or states and the ways between them, groups included.
struct OutlineReader {
    let report: Report
    let outputs: OutputShapes

    /// The plan of a workflow.
    func plan(_ fields: Fields) -> StepOutline? {
        if fields.node("states") != nil { return machine(fields) }
        guard fields.node("steps") != nil else { return nil }
        if let start = fields.member("start") {
            report.error("`start` belongs to `states`; in `steps` the order follows from `needs`", at: start.keyMark)
        }
        return graph(fields.list("steps"))
    }

    /// A step with what follows from its own fields.
    func step(id: String, mark: YAMLMark, fields: Fields) -> StepOutline.Step {
        var step = StepOutline.Step(id: id, mark: mark, fields: fields)
        if fields.node("steps") != nil { step.inner = graph(fields.list("steps")) }
        step.output = outputs.output(of: fields, inner: step.inner)
        return step
    }

    func traits(_ steps: [StepOutline.Step]) -> [StepOrder.Traits] {
        steps.map { step in
            StepOrder.Traits(
                hasCondition: step.fields.node("if") != nil || step.fields.node("while") != nil,
                continuesOnError: step.fields.flag("continueOnError") == true
                    || step.fields.list("catch").contains { Fields($0)?.node("to") != nil })
        }
    }

    /// Names by index; of equal ones the first.
    func indices(_ steps: [StepOutline.Step]) -> [String: Int] {
        var indices: [String: Int] = [:]
        for (index, step) in steps.enumerated() where !step.id.isEmpty && indices[step.id] == nil {
            indices[step.id] = index
        }
        return indices
    }
}

// MARK: - Graphs

extension OutlineReader {
    /// A graph: steps of a workflow, of a group, of `onFailure` or of `finally`.
    ///
    /// - Parameter others: graphs of the same workflow, whose ids are taken.
    func graph(_ nodes: [YAMLNode], beside others: [StepOutline] = []) -> StepOutline {
        var steps: [StepOutline.Step] = []
        var first: [String: YAMLMark] = [:]
        for other in others { for step in other.steps where !step.id.isEmpty { first[step.id] = step.mark } }
        for node in nodes {
            guard let fields = Fields(node) else { continue }
            let id = fields.text("id") ?? ""
            let mark = fields.node("id")?.mark ?? fields.mark
            if !id.isEmpty, let other = first[id] {
                report.error("the id `\(id)` is taken in line \(other.line)", at: mark, hint: "rename one of the two")
            } else {
                first[id] = mark
            }
            steps.append(step(id: id, mark: mark, fields: fields))
        }
        let indices = indices(steps)
        for index in steps.indices { steps[index].needs = needs(of: index, steps, indices) }
        let needs = steps.map(\.needs)
        let (order, cycles) = GraphOrder.sorted(needs: needs)
        for cycle in cycles { report(cycle, steps) }
        let graph = StepOrder.graph(GraphOrder(needs: needs, traits: traits(steps), order: order))
        reportUnreachable(steps, graph)
        return StepOutline(shape: .graph, steps: steps, order: graph)
    }

    /// What comes after a step that always ends the run never starts.
    private func reportUnreachable(_ steps: [StepOutline.Step], _ order: StepOrder) {
        for step in steps where !step.id.isEmpty {
            for need in step.needs where need.when == .completed && order.completesSurely(need.step) {
                let other = steps[need.step]
                guard let action = other.action, ["fail", "finish"].contains(action) else { continue }
                report.error(
                    "the step `\(step.id)` is never reached: `\(other.id)` ends the run", at: step.mark,
                    hint: "give `\(other.id)` an `if`, or this step other `needs`")
            }
        }
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
                report.error(
                    "`needs` names the step `\(id)`, which does not exist", at: target.mark,
                    hint: Suggestion.hint(
                        for: id, among: steps.lazy.map(\.id).filter { $0 != step.id && !$0.isEmpty }))
                continue
            }
            if needs.contains(where: { $0.step == need }) {
                report.error("`needs` names `\(id)` twice", at: target.mark, hint: "remove one of the two")
                continue
            }
            let when: Need.When? = fields?.word("when")
            needs.append(Need(step: need, when: when ?? .completed, isExact: when != nil))
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

import WaybillCore
import WaybillExpressions
import WaybillManifests

/// A workflow's plan as a drawing: nodes, some of them with nodes inside, and labelled arrows.
struct PlanGraph {
    struct Node {
        /// The address, with `*` for an item's index: `group.build`, `load-*.triage`.
        var id: String
        /// What people call it: the step's own id.
        var title: String
        var action: String
        /// In a run, how the step stands.
        var status: String?
        /// The steps of a group, or what a loop does with each item.
        var members: [Node] = []
    }

    struct Arrow {
        var from: String
        var to: String
        var label: String?
        /// Followed only in some cases.
        var isConditional: Bool
    }

    static let start = "__start"
    static let end = "__end"

    let name: String
    private(set) var nodes: [Node] = []
    private(set) var arrows: [Arrow] = []
    private(set) var isMachine = false
    private(set) var hasEnd = false

    /// - Parameter statuses: by address, for the drawing of a run.
    init(_ workflow: WorkflowDefinition, statuses: [String: String] = [:]) {
        name = workflow.name
        nodes = add(workflow.plan, in: "", statuses)
    }

    // MARK: - Nodes

    private mutating func add(_ plan: Plan, in group: String, _ statuses: [String: String]) -> [Node] {
        let nodes = plan.steps.map { node($0, at: group + $0.id, titled: $0.id, statuses) }
        switch plan.shape {
        case .graph: addNeeds(plan, group)
        case .machine(let start): addTransitions(plan, start: start)
        }
        return nodes
    }

    private mutating func node(
        _ step: StepDefinition, at address: String, titled title: String, _ statuses: [String: String]
    ) -> Node {
        var node = Node(id: address, title: title, action: step.action.name, status: statuses[address])
        switch step.action {
        case .steps(let plan): node.members = add(plan, in: "\(address).", statuses)
        case .forEach(let loop):
            for body in loop.body.steps {
                // A group that is done for each item is the loop's own frame.
                if case .steps(let plan) = body.action {
                    node.members += add(plan, in: "\(address)-*.", statuses)
                } else {
                    node.members.append(self.node(body, at: "\(address)-*", titled: "each item", statuses))
                }
            }
        default: break
        }
        return node
    }

    // MARK: - Arrows

    private mutating func addNeeds(_ plan: Plan, _ group: String) {
        for step in plan.steps {
            for need in step.needs {
                let label = need.when == .completed ? step.condition?.source : need.when.rawValue
                arrows.append(
                    Arrow(
                        from: group + plan.steps[need.step].id, to: group + step.id, label: label.map(Self.short),
                        isConditional: step.condition != nil || need.when != .completed))
            }
        }
    }

    private mutating func addTransitions(_ plan: Plan, start: Int) {
        isMachine = true
        arrows.append(Arrow(from: Self.start, to: plan.steps[start].id, label: nil, isConditional: false))
        for step in plan.steps {
            for rule in step.catches {
                guard case .to(let state) = rule.result else { continue }
                if state == nil { hasEnd = true }
                let condition = rule.condition.map { ": \(Self.short($0.source))" } ?? ""
                arrows.append(
                    Arrow(
                        from: step.id, to: state.map { plan.steps[$0].id } ?? Self.end, label: "failed\(condition)",
                        isConditional: true))
            }
            for transition in step.next {
                if transition.to == nil { hasEnd = true }
                arrows.append(
                    Arrow(
                        from: step.id, to: transition.to.map { plan.steps[$0].id } ?? Self.end,
                        label: transition.condition.map { Self.short($0.source) },
                        isConditional: transition.condition != nil))
            }
        }
    }

    private static func short(_ expression: String) -> String { Text.cut(Text.oneLine(expression), to: 60) }

    /// The colours of nodes by the status of their steps.
    static let colours = [
        ("completed", "#c8e6c9"), ("failed", "#ffcdd2"), ("waiting", "#fff9c4"), ("running", "#bbdefb"),
        ("skipped", "#eeeeee"), ("cancelled", "#eeeeee"), ("unknown", "#ffcdd2"), ("pending", "#ffffff"),
    ]

    // MARK: - For programs

    var value: Value {
        [
            "workflow": .string(name), "nodes": .list(nodes.flatMap { values($0, in: nil) }),
            "arrows": .list(
                arrows.map { arrow in
                    [
                        "from": arrow.from == Self.start ? .null : .string(arrow.from),
                        "to": arrow.to == Self.end ? .null : .string(arrow.to),
                        "label": arrow.label.map(Value.string) ?? .null, "conditional": .bool(arrow.isConditional),
                    ]
                }),
        ]
    }

    /// A node, and after it those inside, each with the node it is in.
    private func values(_ node: Node, in parent: String?) -> [Value] {
        let own: Value = [
            "id": .string(node.id), "action": .string(node.action),
            "status": node.status.map(Value.string) ?? .null, "in": parent.map(Value.string) ?? .null,
        ]
        return [own] + node.members.flatMap { values($0, in: node.id) }
    }
}

import WaybillCore
import WaybillExpressions
import WaybillManifests

/// A workflow's plan as a drawing: nodes and labelled arrows.
struct PlanGraph {
    struct Node {
        var id: String
        var action: String
        /// In a run, how the step stands.
        var status: String?
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
    private(set) var nodes: [Node]
    private(set) var arrows: [Arrow] = []
    private var hasEnd = false

    /// - Parameter statuses: by step, for the drawing of a run.
    init(_ workflow: WorkflowDefinition, statuses: [String: String] = [:]) {
        name = workflow.name
        let plan = workflow.plan
        nodes = plan.steps.map { Node(id: $0.id, action: $0.action.name, status: statuses[$0.id]) }
        switch plan.shape {
        case .graph: addNeeds(plan)
        case .machine(let start): addTransitions(plan, start: start)
        }
    }

    private mutating func addNeeds(_ plan: Plan) {
        for step in plan.steps {
            for need in step.needs {
                let label = need.when == .completed ? step.condition?.source : need.when.rawValue
                arrows.append(
                    Arrow(
                        from: plan.steps[need.step].id, to: step.id, label: label.map(Self.short),
                        isConditional: step.condition != nil || need.when != .completed))
            }
        }
    }

    private mutating func addTransitions(_ plan: Plan, start: Int) {
        arrows.append(Arrow(from: Self.start, to: plan.steps[start].id, label: nil, isConditional: false))
        for step in plan.steps {
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

    private var isMachine: Bool { arrows.contains { $0.from == Self.start } }

    // MARK: - Mermaid

    /// A flowchart in Mermaid's language.
    var mermaid: String {
        var lines = ["flowchart TD"]
        if isMachine { lines.append("  \(Self.start)((start))") }
        for node in nodes {
            let text = "\"\(Self.entities(node.id))<br/><i>\(node.action)</i>\""
            let shape =
                switch node.action {
                case "ask": "{{\(text)}}"
                case "wait": "([\(text)])"
                default: "[\(text)]"
                }
            lines.append("  \(node.id)\(shape)" + (node.status.map { ":::\($0)" } ?? ""))
        }
        if hasEnd { lines.append("  \(Self.end)((end))") }
        for arrow in arrows {
            let line = arrow.isConditional ? "-.->" : "-->"
            let label = arrow.label.map { "|\"\(Self.entities($0))\"|" } ?? ""
            lines.append("  \(arrow.from) \(line)\(label) \(arrow.to)")
        }
        for (status, colour) in Self.colours where nodes.contains(where: { $0.status == status }) {
            lines.append("  classDef \(status) fill:\(colour)")
        }
        return lines.joined(separator: "\n") + "\n"
    }

    private static func entities(_ text: String) -> String {
        text.replacing("#", with: "#35;").replacing("\"", with: "#quot;").replacing("<", with: "#lt;")
            .replacing(">", with: "#gt;").replacing("&", with: "#amp;")
    }

    private static let colours = [
        ("completed", "#c8e6c9"), ("failed", "#ffcdd2"), ("waiting", "#fff9c4"), ("running", "#bbdefb"),
        ("skipped", "#eeeeee"), ("cancelled", "#eeeeee"), ("unknown", "#ffcdd2"), ("pending", "#ffffff"),
    ]

    // MARK: - DOT

    /// A directed graph in Graphviz' language.
    var dot: String {
        var lines = [
            "digraph \(Self.quoted(name)) {", "  node [shape=box, style=\"rounded,filled\", fillcolor=white];",
        ]
        if isMachine { lines.append("  \(Self.quoted(Self.start)) [shape=circle, label=\"start\"];") }
        for node in nodes {
            var attributes = "label=\(Self.quoted(node.id + "\n" + node.action))"
            if node.action == "ask" { attributes += ", shape=hexagon" }
            if let colour = Self.colours.first(where: { $0.0 == node.status })?.1 {
                attributes += ", fillcolor=\"\(colour)\""
            }
            lines.append("  \(Self.quoted(node.id)) [\(attributes)];")
        }
        if hasEnd { lines.append("  \(Self.quoted(Self.end)) [shape=doublecircle, label=\"end\"];") }
        for arrow in arrows {
            var attributes: [String] = []
            if let label = arrow.label { attributes.append("label=\(Self.quoted(label))") }
            if arrow.isConditional { attributes.append("style=dashed") }
            let list = attributes.isEmpty ? "" : " [\(attributes.joined(separator: ", "))]"
            lines.append("  \(Self.quoted(arrow.from)) -> \(Self.quoted(arrow.to))\(list);")
        }
        return lines.joined(separator: "\n") + "\n}\n"
    }

    private static func quoted(_ text: String) -> String {
        "\"" + text.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"").replacing("\n", with: "\\n") + "\""
    }

    // MARK: - For programs

    var value: Value {
        [
            "workflow": .string(name),
            "nodes": .list(
                nodes.map { node in
                    [
                        "id": .string(node.id), "action": .string(node.action),
                        "status": node.status.map(Value.string) ?? .null,
                    ]
                }),
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
}

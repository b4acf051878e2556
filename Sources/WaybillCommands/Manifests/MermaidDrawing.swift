/// A plan as a flowchart in Mermaid's language. Groups and loops are subgraphs.
struct MermaidDrawing {
    private var names = MermaidNames()
    private var lines = ["flowchart TD"]
    /// Mermaid gives a subgraph its class in a line of its own.
    private var classes: [(name: String, status: String)] = []
    private var statuses: Set<String> = []

    static func text(_ graph: PlanGraph) -> String {
        var drawing = MermaidDrawing()
        drawing.draw(graph)
        return drawing.lines.joined(separator: "\n") + "\n"
    }

    private mutating func draw(_ graph: PlanGraph) {
        if graph.isMachine { lines.append("  \(PlanGraph.start)((start))") }
        for node in graph.nodes { draw(node, indent: "  ") }
        if graph.hasEnd { lines.append("  \(PlanGraph.end)((end))") }
        for arrow in graph.arrows {
            let line = arrow.isConditional ? "-.->" : "-->"
            let label = arrow.label.map { "|\"\(Self.entities($0))\"|" } ?? ""
            lines.append("  \(names.name(of: arrow.from)) \(line)\(label) \(names.name(of: arrow.to))")
        }
        for (status, colour) in PlanGraph.colours where statuses.contains(status) {
            lines.append("  classDef \(status) fill:\(colour)")
        }
        for (name, status) in classes { lines.append("  class \(name) \(status)") }
    }

    private mutating func draw(_ node: PlanGraph.Node, indent: String) {
        let name = names.name(of: node.id)
        let text = "\"\(Self.entities(node.title))<br/><i>\(node.action)</i>\""
        if let status = node.status { statuses.insert(status) }
        guard node.members.isEmpty else {
            lines.append("\(indent)subgraph \(name)[\(text)]")
            for member in node.members { draw(member, indent: indent + "  ") }
            lines.append("\(indent)end")
            if let status = node.status { classes.append((name, status)) }
            return
        }
        let shape =
            switch node.action {
            case "ask": "{{\(text)}}"
            case "wait": "([\(text)])"
            default: "[\(text)]"
            }
        lines.append("\(indent)\(name)\(shape)" + (node.status.map { ":::\($0)" } ?? ""))
    }

    private static func entities(_ text: String) -> String {
        text.replacing("#", with: "#35;").replacing("\"", with: "#quot;").replacing("<", with: "#lt;")
            .replacing(">", with: "#gt;").replacing("&", with: "#amp;")
    }
}

/// Names for Mermaid: letters, digits and underscores, each for one node, and none of its own words.
private struct MermaidNames {
    private static let words: Set = [
        "class", "classDef", "click", "default", "direction", "end", "flowchart", "graph", "href", "linkStyle", "style",
        "subgraph",
    ]
    private var names = [PlanGraph.start: PlanGraph.start, PlanGraph.end: PlanGraph.end]
    private var taken: Set = [PlanGraph.start, PlanGraph.end]

    mutating func name(of address: String) -> String {
        if let name = names[address] { return name }
        var name = String(address.map { $0 == "." || $0 == "-" ? "_" : $0 == "*" ? "x" : $0 })
        while taken.contains(name) || Self.words.contains(name) { name += "_" }
        names[address] = name
        taken.insert(name)
        return name
    }
}

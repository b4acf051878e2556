/// A plan as a directed graph in Graphviz' language. Groups and loops are clusters.
struct DotDrawing {
    private var lines: [String] = []
    /// By the address of a group or loop: a node inside of it, for Graphviz' arrows go from node to node.
    private var leaves: [String: (first: String, last: String)] = [:]

    static func text(_ graph: PlanGraph) -> String {
        var drawing = DotDrawing()
        drawing.draw(graph)
        return drawing.lines.joined(separator: "\n") + "\n}\n"
    }

    private mutating func draw(_ graph: PlanGraph) {
        lines = [
            "digraph \(Self.quoted(graph.name)) {",
            "  compound=true; node [shape=box, style=\"rounded,filled\", fillcolor=white];",
        ]
        if graph.isMachine { lines.append("  \(Self.quoted(PlanGraph.start)) [shape=circle, label=\"start\"];") }
        for node in graph.nodes { _ = draw(node, indent: "  ") }
        if graph.hasEnd { lines.append("  \(Self.quoted(PlanGraph.end)) [shape=doublecircle, label=\"end\"];") }
        for arrow in graph.arrows { draw(arrow) }
    }

    /// - Returns: the first and the last node in it that is no cluster.
    private mutating func draw(_ node: PlanGraph.Node, indent: String) -> (first: String, last: String) {
        let label = "label=\(Self.quoted(node.title + "\n" + node.action))"
        let colour = PlanGraph.colours.first { $0.0 == node.status }?.1
        guard !node.members.isEmpty else {
            var attributes = label
            if node.action == "ask" { attributes += ", shape=hexagon" }
            if let colour { attributes += ", fillcolor=\"\(colour)\"" }
            lines.append("\(indent)\(Self.quoted(node.id)) [\(attributes)];")
            return (node.id, node.id)
        }
        lines.append("\(indent)subgraph \(Self.quoted(Self.cluster(node.id))) {")
        lines.append("\(indent)  \(label); style=\"rounded,filled\"; fillcolor=\"\(colour ?? "#fafafa")\";")
        let inner = node.members.map { draw($0, indent: indent + "  ") }
        lines.append("\(indent)}")
        let ends = (first: inner.first?.first ?? node.id, last: inner.last?.last ?? node.id)
        leaves[node.id] = ends
        return ends
    }

    private mutating func draw(_ arrow: PlanGraph.Arrow) {
        var attributes: [String] = []
        if let label = arrow.label { attributes.append("label=\(Self.quoted(label))") }
        if arrow.isConditional { attributes.append("style=dashed") }
        if leaves[arrow.from] != nil { attributes.append("ltail=\(Self.quoted(Self.cluster(arrow.from)))") }
        if leaves[arrow.to] != nil { attributes.append("lhead=\(Self.quoted(Self.cluster(arrow.to)))") }
        let list = attributes.isEmpty ? "" : " [\(attributes.joined(separator: ", "))]"
        let from = leaves[arrow.from]?.last ?? arrow.from
        let to = leaves[arrow.to]?.first ?? arrow.to
        lines.append("  \(Self.quoted(from)) -> \(Self.quoted(to))\(list);")
    }

    /// Graphviz draws a box around a subgraph whose name begins like this.
    private static func cluster(_ address: String) -> String { "cluster_\(address)" }

    private static func quoted(_ text: String) -> String {
        "\"" + text.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"").replacing("\n", with: "\\n") + "\""
    }
}

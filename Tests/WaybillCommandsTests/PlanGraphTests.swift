import Testing
import WaybillCore
import WaybillManifests

@testable import WaybillCommands

@Suite("Drawn plans")
struct PlanGraphTests {
    private static let nested = """
        kind: Workflow
        name: w
        steps:
          - {id: a, run: [x]}
          - id: g
            steps: [{id: b, run: [x]}, {id: end, ask: {prompt: Go?}}]
          - {id: l, forEach: [1], steps: [{id: c, run: [x]}]}
          - {id: m, forEach: [1], if: "steps.a.status == 'completed'", run: [x]}
        """

    private func graph(_ text: String, _ statuses: [String: String] = [:]) throws -> PlanGraph {
        let catalog = Catalog.load([SourceFile(path: "workflows/w.yaml", bytes: Array(text.utf8))]) { _ in true }
        return PlanGraph(try #require(catalog.workflows["w"]), statuses: statuses)
    }

    @Test("in Mermaid groups and loops are subgraphs around their members")
    func mermaid() throws {
        let drawing = MermaidDrawing.text(
            try graph(Self.nested, ["a": "completed", "g": "running", "g.b": "completed"]))
        #expect(
            drawing == """
                flowchart TD
                  a["a<br/><i>run</i>"]:::completed
                  subgraph g["g<br/><i>steps</i>"]
                    g_b["b<br/><i>run</i>"]:::completed
                    g_end{{"end<br/><i>ask</i>"}}
                  end
                  subgraph l["l<br/><i>forEach</i>"]
                    l_x_c["c<br/><i>run</i>"]
                  end
                  subgraph m["m<br/><i>forEach</i>"]
                    m_x["each item<br/><i>run</i>"]
                  end
                  g_b --> g_end
                  a --> g
                  g --> l
                  l -.->|"steps.a.status == 'completed'"| m
                  classDef completed fill:#c8e6c9
                  classDef running fill:#bbdefb
                  class g running

                """)
    }

    @Test("in DOT they are clusters, and arrows end at their borders")
    func dot() throws {
        let drawing = DotDrawing.text(try graph(Self.nested, ["g": "running"]))
        #expect(
            drawing == #"""
                digraph "w" {
                  compound=true; node [shape=box, style="rounded,filled", fillcolor=white];
                  "a" [label="a\nrun"];
                  subgraph "cluster_g" {
                    label="g\nsteps"; style="rounded,filled"; fillcolor="#bbdefb";
                    "g.b" [label="b\nrun"];
                    "g.end" [label="end\nask", shape=hexagon];
                  }
                  subgraph "cluster_l" {
                    label="l\nforEach"; style="rounded,filled"; fillcolor="#fafafa";
                    "l-*.c" [label="c\nrun"];
                  }
                  subgraph "cluster_m" {
                    label="m\nforEach"; style="rounded,filled"; fillcolor="#fafafa";
                    "m-*" [label="each item\nrun"];
                  }
                  "g.b" -> "g.end";
                  "a" -> "g.b" [lhead="cluster_g"];
                  "g.end" -> "l-*.c" [ltail="cluster_g", lhead="cluster_l"];
                  "l-*.c" -> "m-*" [label="steps.a.status == 'completed'", style=dashed, ltail="cluster_l", lhead="cluster_m"];
                }

                """#)
    }

    @Test("programs are told what is inside of what")
    func value() throws {
        let nodes = try graph(Self.nested).value["nodes"]?.listValue ?? []
        #expect(
            nodes.map { "\($0["id"]?.stringValue ?? "") in \($0["in"]?.stringValue ?? "-")" } == [
                "a in -", "g in -", "g.b in g", "g.end in g", "l in -", "l-*.c in l", "m in -", "m-* in m",
            ])
    }

    @Test("a machine has a start and an end, and no name is one of Mermaid's words")
    func machine() throws {
        let text = """
            kind: Workflow
            name: w
            states: {class: {run: [x], next: [{if: visit > 2, to: end}, {to: class}]}}
            """
        #expect(
            MermaidDrawing.text(try graph(text)) == """
                flowchart TD
                  __start((start))
                  class_["class<br/><i>run</i>"]
                  __end((end))
                  __start --> class_
                  class_ -.->|"visit #gt; 2"| __end
                  class_ --> class_

                """)
    }
}

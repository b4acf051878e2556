import WaybillCore

/// Ties workflows to what they use and call. One whose ties lead nowhere is set aside with those that call it, so that
/// a workflow that may run has everything it needs.
struct WorkflowLinker {
    private let names: [String]
    private var graph: CallGraph
    /// Also calls that nobody waits for.
    private var callers: [[(caller: Int, step: String, place: SourcePlace)]]
    private var broken: Set<Int> = []
    private var diagnostics: [Diagnostic] = []

    static func link(_ catalog: inout Catalog, _ capabilities: CapabilityIndex) {
        var linker = WorkflowLinker(catalog, capabilities)
        linker.refuseCircles()
        linker.spread()
        for index in linker.broken {
            catalog.workflows[linker.names[index]] = nil
            catalog.setAside.insert(linker.names[index])
        }
        catalog.diagnostics += linker.diagnostics
    }

    private init(_ catalog: Catalog, _ capabilities: CapabilityIndex) {
        // Definitions are large: names are sorted, and nothing else is moved.
        names = catalog.workflows.keys.sorted { $0.precedesInCodePoints($1) }
        graph = CallGraph(calls: Array(repeating: [], count: names.count))
        callers = Array(repeating: [], count: names.count)
        let indices = Dictionary(uniqueKeysWithValues: names.enumerated().map { ($1, $0) })
        let surroundings = WorkflowTies.Surroundings(catalog, capabilities)
        for (index, name) in names.enumerated() {
            guard let workflow = catalog.workflows[name] else { continue }
            let ties = WorkflowTies(of: workflow, in: surroundings)
            if !ties.problems.isEmpty { broken.insert(index) }
            diagnostics += ties.problems
            for call in ties.calls {
                guard let callee = indices[call.callee] else { continue }
                callers[callee].append((index, call.step, call.place))
                guard !call.isDetached else { continue }
                graph.calls[index].append(
                    CallGraph.Call(callee: callee, place: call.place, isConditional: call.isConditional))
            }
        }
    }

    private mutating func refuse(_ workflow: Int, _ message: String, at place: SourcePlace, hint: String? = nil) {
        broken.insert(workflow)
        diagnostics.append(Diagnostic(message: message, place: place, hint: hint))
    }

    // MARK: - Circles

    private mutating func refuseCircles() {
        for circle in graph.circles({ !$0.isConditional }) {
            guard let last = circle.last else { continue }
            for call in circle { broken.insert(call.callee) }
            diagnostics.append(
                Diagnostic(
                    message: "these calls never end: \(way(circle))", place: last.place,
                    hint: "give one of these steps an `if`"))
        }
        for circle in graph.circles({ _ in true }) where !circle.allSatisfy({ broken.contains($0.callee) }) {
            guard let last = circle.last else { continue }
            diagnostics.append(
                Diagnostic(
                    level: .warning, message: "these calls may go round in a circle: \(way(circle))",
                    place: last.place, hint: "make sure that the condition on the way ends it"))
        }
    }

    /// The callee of the last call makes the first.
    private func way(_ circle: [CallGraph.Call]) -> String {
        let callers = [circle[circle.count - 1]] + circle
        return callers.map { "`\(names[$0.callee])`" }.joined(separator: " calls ")
    }

    // MARK: - What follows

    /// Sets aside whatever calls what is set aside.
    private mutating func spread() {
        var open = broken.sorted()
        while let callee = open.popLast() {
            for call in callers[callee] where broken.insert(call.caller).inserted {
                refuse(
                    call.caller, WorkflowTies.callsOneSetAside(call.step, names[callee]), at: call.place,
                    hint: WorkflowTies.mend)
                open.append(call.caller)
            }
        }
    }
}

import WaybillCore

/// Ties workflows to what they use and call. One whose ties lead nowhere is set aside with those that call it, so that
/// a workflow that may run has everything it needs.
struct WorkflowLinker {
    private let names: [String]
    private let workflows: [WorkflowDefinition]
    private let setAside: Set<String>
    private let capabilities: CapabilityIndex
    private let pools: [String: Int]
    private let hasSigners: Bool
    private let secrets: Set<String>
    private let indices: [String: Int]
    private var graph: CallGraph
    /// Also calls that nobody waits for.
    private var callers: [[(caller: Int, step: String, place: SourcePlace)]]
    private var broken: Set<Int> = []
    private var diagnostics: [Diagnostic] = []

    static func link(_ catalog: inout Catalog, _ capabilities: CapabilityIndex) {
        var linker = WorkflowLinker(catalog, capabilities)
        for index in linker.workflows.indices { linker.checkSteps(of: index) }
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
        let sorted = catalog.workflows.keys.sorted { $0.precedesInCodePoints($1) }
        names = sorted
        workflows = sorted.compactMap { catalog.workflows[$0] }
        setAside = catalog.setAside
        pools = catalog.settings.pools
        hasSigners = catalog.settings.signers != nil
        secrets = Set(catalog.settings.secrets.keys)
        self.capabilities = capabilities
        indices = Dictionary(uniqueKeysWithValues: names.enumerated().map { ($1, $0) })
        graph = CallGraph(calls: Array(repeating: [], count: names.count))
        callers = Array(repeating: [], count: names.count)
    }

    private mutating func refuse(_ workflow: Int, _ message: String, at place: SourcePlace, hint: String? = nil) {
        broken.insert(workflow)
        diagnostics.append(Diagnostic(message: message, place: place, hint: hint))
    }

    // MARK: - Steps

    private mutating func checkSteps(of index: Int) {
        var visits: [StepVisit] = []
        var mayEndEarly = false
        checkSigners(workflows[index].control, "`control`", at: workflows[index].place, of: index)
        workflows[index].visitSteps { visit in
            switch visit.step.action {
            case .uses, .call: visits.append(visit)
            case .ask, .first: visits.append(visit)
            case .finish, .fail: mayEndEarly = mayEndEarly || visit.isConditional
            default: if visit.step.pool != nil || !visit.step.secretNames.isEmpty { visits.append(visit) }
            }
        }
        for visit in visits {
            checkPool(visit, of: index)
            checkSecrets(visit, of: index)
            switch visit.step.action {
            case .uses(let use): check(use, visit, of: index)
            case .call(let call): check(call, visit, of: index, isConditional: visit.isConditional || mayEndEarly)
            default:
                for question in visit.step.action.questions {
                    checkSigners(question.from, "the step `\(visit.path)`", at: visit.step.place, of: index)
                }
            }
        }
    }

    /// Signatures are checked with a file that only the settings name.
    private mutating func checkSigners(
        _ rule: AnswererRule?, _ subject: String, at place: SourcePlace, of workflow: Int
    ) {
        guard let rule, !rule.signers.isEmpty, !hasSigners else { return }
        refuse(
            workflow, "\(subject) takes signatures, and no `kind: Settings` names the file of those who may sign",
            at: place, hint: "add `signers: .allowed_signers` to the settings")
    }

    private mutating func checkPool(_ visit: StepVisit, of workflow: Int) {
        guard let pool = visit.step.pool, pools[pool] == nil else { return }
        let names = pools.keys.sorted()
        refuse(
            workflow, "the step `\(visit.path)` names the pool `\(pool)`, which no `kind: Settings` declares",
            at: visit.step.place,
            hint: Suggestion.hint(for: pool, among: names)
                ?? (names.isEmpty
                    ? "add `pools: {\(pool): 1}` to the settings" : "there are \(names.joined(separator: ", "))"))
    }

    /// Also of what a capability does.
    private mutating func checkSecrets(_ visit: StepVisit, of workflow: Int) {
        for name in visit.step.neededSecrets where !secrets.contains(name) {
            refuse(
                workflow, "the step `\(visit.path)` needs the secret `\(name)`, which no `kind: Settings` declares",
                at: visit.step.place,
                hint: Suggestion.hint(for: name, among: secrets.sorted())
                    ?? "add `secrets: {\(name): {file: ...}}` to the settings")
        }
    }

    private mutating func check(_ use: UseAction, _ visit: StepVisit, of workflow: Int) {
        guard let found = capabilities.resolve(use.reference) else {
            return refuse(
                workflow, "the step `\(visit.path)` uses `\(use.reference)`, and there is no such capability",
                at: use.place, hint: capabilities.hint(for: use.reference))
        }
        guard let capability = found.definition, !found.isSetAside else {
            return refuse(
                workflow,
                "the step `\(visit.path)` uses `\(use.reference.name)@\(found.version)`, which is set aside, and so is this workflow",
                at: use.place, hint: "mend the capability first")
        }
        if !visit.step.limits.isEmpty, case .http = capability.step.action {
            refuse(
                workflow,
                "`limits` of the step `\(visit.path)` mean nothing: \(capability.name)@\(capability.version) sends a request",
                at: visit.step.place, hint: "remove them")
        }
        let check = InputCheck(
            taker: "the capability `\(capability.name)@\(capability.version)`", inputs: capability.inputs)
        add(check.check(use.inputs, at: visit.step.place), to: workflow)
    }

    private mutating func check(_ call: CallAction, _ visit: StepVisit, of workflow: Int, isConditional: Bool) {
        guard let callee = indices[call.workflow] else {
            let isThere = setAside.contains(call.workflow)
            return refuse(
                workflow,
                isThere
                    ? Self.setAside(visit.path, call.workflow)
                    : "the step `\(visit.path)` calls the workflow `\(call.workflow)`, which does not exist",
                at: call.place,
                hint: isThere ? Self.mend : Suggestion.hint(for: call.workflow, among: names + setAside.sorted()))
        }
        callers[callee].append((workflow, visit.path, call.place))
        if !call.detach {
            graph.calls[workflow].append(
                CallGraph.Call(callee: callee, place: call.place, isConditional: isConditional))
        }
        let check = InputCheck(taker: "the workflow `\(call.workflow)`", inputs: workflows[callee].inputs)
        add(check.check(call.inputs, at: visit.step.place), to: workflow)
    }

    private mutating func add(_ problems: [Diagnostic], to workflow: Int) {
        if !problems.isEmpty { broken.insert(workflow) }
        diagnostics += problems
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

    private static let mend = "mend that workflow first"

    private static func setAside(_ step: String, _ callee: String) -> String {
        "the step `\(step)` calls the workflow `\(callee)`, which is set aside, and so is this one"
    }

    /// Sets aside whatever calls what is set aside.
    private mutating func spread() {
        var open = broken.sorted()
        while let callee = open.popLast() {
            for call in callers[callee] where broken.insert(call.caller).inserted {
                refuse(call.caller, Self.setAside(call.step, names[callee]), at: call.place, hint: Self.mend)
                open.append(call.caller)
            }
        }
    }
}

import WaybillCore

/// What one workflow uses and calls, and what is wrong with that.
struct WorkflowTies {
    /// What a workflow may be tied to.
    struct Surroundings {
        let catalog: Catalog
        let capabilities: CapabilityIndex
        let secrets: Set<String>

        init(_ catalog: Catalog, _ capabilities: CapabilityIndex) {
            self.catalog = catalog
            self.capabilities = capabilities
            secrets = Set(catalog.settings.secrets.keys)
        }
    }

    /// A call of a workflow that is there.
    struct Call {
        var callee: String
        var step: String
        var place: SourcePlace
        /// Whether the caller may end without it.
        var isConditional: Bool
        /// Whether the caller does not wait for it.
        var isDetached: Bool
    }

    private(set) var calls: [Call] = []
    private(set) var problems: [Diagnostic] = []
    private let workflow: WorkflowDefinition
    private let surroundings: Surroundings

    init(of workflow: WorkflowDefinition, in surroundings: Surroundings) {
        self.workflow = workflow
        self.surroundings = surroundings
        checkSteps()
    }

    private mutating func refuse(_ message: String, at place: SourcePlace, hint: String? = nil) {
        problems.append(Diagnostic(message: message, place: place, hint: hint))
    }

    private mutating func checkSteps() {
        var visits: [StepVisit] = []
        var mayEndEarly = false
        checkSigners(workflow.control, "`control`", at: workflow.place)
        workflow.visitSteps { visit in
            switch visit.step.action {
            case .uses, .call: visits.append(visit)
            case .ask, .first: visits.append(visit)
            case .finish, .fail: mayEndEarly = mayEndEarly || visit.isConditional
            default: if visit.step.pool != nil || !visit.step.secretNames.isEmpty { visits.append(visit) }
            }
        }
        for visit in visits {
            checkPool(visit)
            checkSecrets(visit)
            switch visit.step.action {
            case .uses(let use): check(use, visit)
            case .call(let call): check(call, visit, isConditional: visit.isConditional || mayEndEarly)
            default:
                for question in visit.step.action.questions {
                    checkSigners(question.from, "the step `\(visit.path)`", at: visit.step.place)
                }
            }
        }
    }

    /// Signatures are checked with a file that only the settings name.
    private mutating func checkSigners(_ rule: AnswererRule?, _ subject: String, at place: SourcePlace) {
        guard let rule, !rule.signers.isEmpty, surroundings.catalog.settings.signers == nil else { return }
        refuse(
            "\(subject) takes signatures, and no `kind: Settings` names the file of those who may sign",
            at: place, hint: "add `signers: .allowed_signers` to the settings")
    }

    private mutating func checkPool(_ visit: StepVisit) {
        let pools = surroundings.catalog.settings.pools
        guard let pool = visit.step.pool, pools[pool] == nil else { return }
        let names = pools.keys.sorted()
        refuse(
            "the step `\(visit.path)` names the pool `\(pool)`, which no `kind: Settings` declares",
            at: visit.step.place,
            hint: Suggestion.hint(for: pool, among: names)
                ?? (names.isEmpty ? "add `pools: {\(pool): 1}` to the settings" : Suggestion.list(names)))
    }

    /// Also of what a capability does.
    private mutating func checkSecrets(_ visit: StepVisit) {
        let secrets = surroundings.secrets
        for name in visit.step.neededSecrets where !secrets.contains(name) {
            refuse(
                "the step `\(visit.path)` needs the secret `\(name)`, which no `kind: Settings` declares",
                at: visit.step.place,
                hint: Suggestion.hint(for: name, among: secrets.sorted())
                    ?? "add `secrets: {\(name): {file: ...}}` to the settings")
        }
    }

    private mutating func check(_ use: UseAction, _ visit: StepVisit) {
        let capabilities = surroundings.capabilities
        guard let found = capabilities.resolve(use.reference) else {
            return refuse(
                "the step `\(visit.path)` uses `\(use.reference)`, and there is no such capability",
                at: use.place, hint: capabilities.hint(for: use.reference))
        }
        guard let capability = found.definition, !found.isSetAside else {
            return refuse(
                "the step `\(visit.path)` uses `\(use.reference.name)@\(found.version)`, which is set aside, and so is this workflow",
                at: use.place, hint: "mend the capability first")
        }
        if !visit.step.limits.isEmpty, case .http = capability.step.action {
            refuse(
                "`limits` of the step `\(visit.path)` mean nothing: \(capability.name)@\(capability.version) sends a request",
                at: visit.step.place, hint: "remove them")
        }
        let check = InputCheck(
            taker: "the capability `\(capability.name)@\(capability.version)`", inputs: capability.inputs)
        problems += check.check(use.inputs, at: visit.step.place)
    }

    private mutating func check(_ call: CallAction, _ visit: StepVisit, isConditional: Bool) {
        let catalog = surroundings.catalog
        guard let callee = catalog.workflows[call.workflow] else {
            let isThere = catalog.setAside.contains(call.workflow)
            return refuse(
                isThere
                    ? Self.callsOneSetAside(visit.path, call.workflow)
                    : "the step `\(visit.path)` calls the workflow `\(call.workflow)`, which does not exist",
                at: call.place,
                hint: isThere ? Self.mend : Suggestion.hint(for: call.workflow, among: catalog.workflowNames))
        }
        calls.append(
            Call(
                callee: call.workflow, step: visit.path, place: call.place, isConditional: isConditional,
                isDetached: call.detach))
        let check = InputCheck(taker: "the workflow `\(call.workflow)`", inputs: callee.inputs)
        problems += check.check(call.inputs, at: visit.step.place)
    }

    static let mend = "mend that workflow first"

    static func callsOneSetAside(_ step: String, _ callee: String) -> String {
        "the step `\(step)` calls the workflow `\(callee)`, which is set aside, and so is this one"
    }
}

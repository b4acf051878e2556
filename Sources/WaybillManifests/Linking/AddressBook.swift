import WaybillCore

/// Finds the steps of a workflow by the addresses that they have in runs.
struct AddressBook {
    let workflow: WorkflowDefinition

    /// The step at an address; for an item what the loop does with each. Nil if no run can have such an address.
    func step(at text: String) -> StepDefinition? {
        guard let address = Address(text), let first = address.parts.first else { return nil }
        let plans = [workflow.plan, workflow.onFailure, workflow.finally].compactMap { $0 }
        var found = plans.lazy.compactMap { Self.step(first.id, in: $0) }.first
        for (index, part) in address.parts.enumerated() {
            if index > 0 {
                guard case .steps(let plan)? = found?.action else { return nil }
                found = Self.step(part.id, in: plan)
            }
            if part.item != nil {
                guard case .forEach(let loop)? = found?.action else { return nil }
                found = loop.body.steps.first
            }
        }
        return found
    }

    private static func step(_ id: String, in plan: Plan) -> StepDefinition? {
        plan.index(of: id).map { plan.steps[$0] }
    }

    /// The step a wait belongs to, from the wait's key: an address, with the visit from the second on (`triage.2`), the
    /// branch of a `first`, or what is asked beside the step (`build-unknown`, `pay-big_spend`).
    func step(ofWait key: String) -> (step: StepDefinition, isOwn: Bool)? {
        if let step = step(at: key) { return (step, true) }
        if let dot = key.utf8.lastIndex(of: UInt8(ascii: ".")) {
            let (head, tail) = (String(key[..<dot]), String(key[key.utf8.index(after: dot)...]))
            if tail.utf8.allSatisfy(\.isDigit), let found = step(ofWait: head) { return found }
            if let step = step(at: head), case .first(let branches) = step.action,
                branches.contains(where: { $0.name == tail })
            {
                return (step, true)
            }
        }
        guard let dash = key.utf8.lastIndex(of: UInt8(ascii: "-")) else { return nil }
        let tail = String(key[key.utf8.index(after: dash)...])
        guard Names.isID(tail), let step = step(at: String(key[..<dash])) else { return nil }
        return (step, false)
    }

    /// The addresses there are, for suggestions; of items that of the first.
    var addresses: [String] {
        var addresses: [String] = []
        workflow.visitSteps { visit in
            guard visit.role == .step || visit.role == .item else { return }
            addresses.append(visit.path.replacing("*", with: "0"))
        }
        return addresses
    }
}

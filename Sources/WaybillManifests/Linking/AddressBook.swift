import WaybillCore

/// Finds the steps of a workflow by the addresses that they have in runs.
struct AddressBook {
    let workflow: WorkflowDefinition

    /// The step at an address, of an item what the loop does with each; also one that serves another step, such as
    /// `pay-compensate` or `train-poll`. Nil if no run can have such an address.
    func step(at text: String) -> StepDefinition? { workflow.step(at: text) }

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

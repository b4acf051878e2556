import WaybillCore

/// Finds the steps of a workflow by the keys of their waits.
struct AddressBook {
    /// What a key stands for.
    struct Wait {
        enum Kind {
            /// The step's own wait. A `first` has none: each of its branches has its own.
            case own
            /// One of the waits of a `first`.
            case branch(FirstBranch)
            /// What is asked beside the step.
            case beside
        }

        var step: StepDefinition
        var kind: Kind
    }

    let workflow: WorkflowDefinition

    /// The wait of a key: an address, with the visit from the second on (`triage.2`), then for a branch of a `first` its
    /// name (`pick.2-late`), or what is asked beside the step (`build-unknown`, `pay-big_spend`).
    func wait(_ key: String) -> Wait? {
        if let step = visited(key) { return Wait(step: step, kind: .own) }
        guard let dash = key.utf8.lastIndex(of: UInt8(ascii: "-")) else { return nil }
        let tail = String(key[key.utf8.index(after: dash)...])
        guard Names.isID(tail), let step = visited(String(key[..<dash])) else { return nil }
        if case .first(let branches) = step.action, let branch = branches.first(where: { $0.name == tail }) {
            return Wait(step: step, kind: .branch(branch))
        }
        return Wait(step: step, kind: .beside)
    }

    /// The step of an address that may end in a visit.
    private func visited(_ text: String) -> StepDefinition? {
        if let step = workflow.step(at: text) { return step }
        guard let dot = text.utf8.lastIndex(of: UInt8(ascii: ".")) else { return nil }
        let visit = text[text.utf8.index(after: dot)...].utf8
        guard !visit.isEmpty, visit.allSatisfy(\.isDigit) else { return nil }
        return workflow.step(at: String(text[..<dot]))
    }

    /// Whether a wait asks if a run may begin at all.
    func isAdmission(_ key: String) -> Bool {
        let stem = workflow.admissionStem + "-"
        return key.hasPrefix(stem) && Names.isID(String(key.dropFirst(stem.count)))
    }

    /// The addresses there are, for suggestions; of items that of the first.
    var addresses: [String] { visited(keys: { path, _ in [path] }) }

    /// The keys under which steps may wait, for suggestions.
    var waits: [String] {
        visited { path, step in
            guard case .first(let branches) = step.action else { return [path] }
            return branches.map { "\(path)-\($0.name)" }
        }
    }

    private func visited(keys: (_ path: String, _ step: StepDefinition) -> [String]) -> [String] {
        var found: [String] = []
        workflow.visitSteps { visit in
            guard visit.role == .step || visit.role == .item else { return }
            found += keys(visit.path.replacing("*", with: "0"), visit.step)
        }
        return found
    }
}

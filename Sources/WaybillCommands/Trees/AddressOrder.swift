import WaybillManifests

/// The order in which people look for steps: that of the file, with what belongs to a step right below it.
struct AddressOrder {
    private let plans: [Plan]

    init(_ workflow: WorkflowDefinition) {
        plans = [workflow.plan, workflow.onFailure, workflow.finally].compactMap { $0 }
    }

    /// How deep an address lies below a step of the workflow itself: of `load-3.triage` 2.
    static func depth(of address: String) -> Int {
        address.utf8.count { $0 == UInt8(ascii: ".") || $0 == UInt8(ascii: "-") }
    }

    /// Elements of the same place keep their order.
    func sorted<Element>(_ elements: [Element], by address: (Element) -> String) -> [Element] {
        let keyed = elements.enumerated().map { (key: key(of: address($1)), index: $0, element: $1) }
        return keyed.sorted { left, right in
            left.key == right.key ? left.index < right.index : left.key.lexicographicallyPrecedes(right.key)
        }.map(\.element)
    }

    /// What stands beside a step comes after all that is inside of it.
    private static let beside = Int.max - 1
    /// What the definition does not have comes last.
    private static let unknown = Int.max

    /// The place of an address, a number for each level.
    private func key(of address: String) -> [Int] {
        var key: [Int] = []
        var plans = plans
        for piece in address.split(separator: ".", omittingEmptySubsequences: false) {
            let parts = piece.split(separator: "-", omittingEmptySubsequences: false).map(String.init)
            guard let (place, step) = find(parts[0], in: plans) else { return key + [Self.unknown] }
            key.append(place)
            var action = step.action
            for part in parts.dropFirst() {
                if let item = Int(part), case .forEach(let loop) = action {
                    key.append(item)
                    if let body = loop.body.steps.first { action = body.action }
                } else {
                    key.append(Self.beside)
                }
            }
            if case .steps(let inner) = action { plans = [inner] } else { plans = [] }
        }
        return key
    }

    private func find(_ id: String, in plans: [Plan]) -> (place: Int, step: StepDefinition)? {
        var before = 0
        for plan in plans {
            if let index = plan.index(of: id) { return (before + index, plan.steps[index]) }
            before += plan.steps.count
        }
        return nil
    }
}

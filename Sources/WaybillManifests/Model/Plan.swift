/// What a workflow's `steps` or `states` compile to: one list of steps, addressed by index.
///
/// It never changes, and all runs of a workflow share it: a state that is copied holds on to one thing more.
package final class Plan: Sendable {
    package enum Shape: Sendable, Hashable {
        /// Steps run as soon as their needs are met.
        case graph
        /// One state after another, beginning with this index.
        case machine(start: Int)
    }

    package let shape: Shape
    /// In the order of the file.
    package let steps: [StepDefinition]
    /// Their ids alone: they are asked for often, and a definition is large to copy.
    package let ids: [String]
    /// The indices of the steps that need the step at this index (graph only).
    package let dependants: [[Int]]
    private let indices: [String: Int]

    package init(shape: Shape, steps: [StepDefinition]) {
        self.shape = shape
        self.steps = steps
        ids = steps.map(\.id)
        indices = Dictionary(steps.enumerated().map { ($1.id, $0) }, uniquingKeysWith: { first, _ in first })
        var dependants = [[Int]](repeating: [], count: steps.count)
        if shape == .graph {
            for (index, step) in steps.enumerated() {
                for need in step.needs { dependants[need.step].append(index) }
            }
        }
        self.dependants = dependants
    }

    /// The same steps under new definitions, e.g. with their capabilities resolved.
    package func mapping(_ transform: (StepDefinition) -> StepDefinition) -> Plan {
        Plan(shape: shape, steps: steps.map(transform))
    }

    /// The index of a step by its id.
    package func index(of id: String) -> Int? { indices[id] }
}

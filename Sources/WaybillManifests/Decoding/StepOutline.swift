import WaybillCore
import WaybillExpressions

/// The steps of a workflow before their expressions are read: who they are, what comes after what, and which outputs
/// they will have. Only with this can an expression be checked against the place it stands at.
struct StepOutline {
    struct Step {
        /// Empty where it is missing or spelt wrong.
        var id: String
        /// Of the id, or of the state's name.
        var mark: YAMLMark
        var fields: Fields
        var needs: [Need] = []
        /// Targets of `next` that exist.
        var targets: [Int] = []
        var output: OutputShape = .none

        /// The first action's name in a fixed order; nil if there is none.
        var action: String? { Grammar.actionNames.first { fields.node($0) != nil } }
    }

    enum OutputShape {
        /// The step never has an output.
        case none
        case shape(TypeShape)
    }

    var shape: Plan.Shape
    var steps: [Step]
    var order: StepOrder
    let indices: [String: Int]

    init(shape: Plan.Shape, steps: [Step], order: StepOrder) {
        self.shape = shape
        self.steps = steps
        self.order = order
        indices = Dictionary(
            steps.enumerated().filter { !$1.id.isEmpty }.map { ($1.id, $0) }, uniquingKeysWith: { first, _ in first })
    }

    var ids: [String] { steps.map(\.id).filter { !$0.isEmpty } }
}

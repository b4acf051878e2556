import WaybillCore
import WaybillExpressions

/// The steps of one graph or machine before their expressions are read: who they are, what comes after what, and which
/// outputs they will have. Only with this can an expression be checked against the place it stands at.
///
/// Groups have outlines of their own; each knows the one around it.
final class StepOutline {
    struct Step {
        /// Empty where it is missing or spelt wrong.
        var id: String
        /// Of the id, or of the state's name.
        var mark: YAMLMark
        var fields: Fields
        var needs: [Need] = []
        /// Targets of `next` and of `catch` that exist.
        var targets: [Int] = []
        /// What one visit gives; of `forEach` the list of what the items give.
        var output: OutputShape = .none
        /// The steps of a group.
        var inner: StepOutline?

        /// The first action's name in a fixed order; nil if there is none.
        var action: String? { Grammar.actionNames.first { fields.node($0) != nil } }
        var isLoop: Bool { fields.node("forEach") != nil }
    }

    enum OutputShape {
        /// The step never has an output.
        case none
        case shape(TypeShape)

        var shape: TypeShape {
            switch self {
            case .none: .dyn
            case .shape(let shape): shape
            }
        }
    }

    /// What lies around an outline.
    enum Surroundings {
        case none
        /// It is the group at this index.
        case group(StepOutline, Int)
        /// It comes when the steps of the other have ended, in whatever way.
        case after(StepOutline)
    }

    let shape: Plan.Shape
    let steps: [Step]
    let order: StepOrder
    let indices: [String: Int]
    /// The steps inside of groups here, by id: how they are read from here, such as `group.output.inner`.
    let innerPaths: [String: String]
    /// Set by whoever makes the outline around it, and alive as long as that one is.
    private weak var around: StepOutline?
    private var groupIndex: Int?

    init(shape: Plan.Shape, steps: [Step], order: StepOrder) {
        self.shape = shape
        self.steps = steps
        self.order = order
        indices = Dictionary(
            steps.enumerated().filter { !$1.id.isEmpty }.map { ($1.id, $0) }, uniquingKeysWith: { first, _ in first })
        var paths: [String: String] = [:]
        for step in steps {
            guard let inner = step.inner, !step.id.isEmpty else { continue }
            let output = step.isLoop ? "\(step.id).items[0].output" : "\(step.id).output"
            for id in inner.ids where paths[id] == nil { paths[id] = "\(output).\(id)" }
            for (id, path) in inner.innerPaths where paths[id] == nil { paths[id] = "\(output).\(path)" }
        }
        innerPaths = paths
        for (index, step) in steps.enumerated() {
            step.inner?.around = self
            step.inner?.groupIndex = index
        }
    }

    var ids: [String] { steps.map(\.id).filter { !$0.isEmpty } }

    var surroundings: Surroundings {
        guard let around else { return .none }
        if let groupIndex { return .group(around, groupIndex) }
        return .after(around)
    }

    /// Tells that these steps come when those of another outline have ended.
    func follow(_ other: StepOutline?) { around = other }
}

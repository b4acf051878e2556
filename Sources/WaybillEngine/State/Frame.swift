package import WaybillManifests

/// One step of one frame.
package struct InstanceID: Hashable, Comparable, Sendable {
    /// The frame's number; 0 is the workflow's own plan.
    package var frame: Int
    /// The step's index in the frame's plan.
    package var step: Int

    package init(frame: Int, step: Int) {
        self.frame = frame
        self.step = step
    }

    package static func < (left: InstanceID, right: InstanceID) -> Bool {
        (left.frame, left.step) < (right.frame, right.step)
    }
}

/// A plan under way: the workflow's own, a group's, one item of a loop, or a step that serves another one.
///
/// Frames are numbered in the order in which entries open them, so every fold of a ledger numbers them alike.
package struct Frame: Sendable {
    package enum Kind: Sendable, Hashable {
        case root
        case onFailure
        case finally
        /// The steps of a group.
        case group
        /// One item of a `forEach`: a plan of one step.
        case item(Int)
        /// A step that serves another one: `compensate`, `check` or `poll`.
        case auxiliary(String)
    }

    package static let root = 0
    package static let compensate = "compensate"
    package static let check = "check"
    package static let poll = "poll"

    package let id: Int
    package let kind: Kind
    package let plan: Plan
    /// The step this belongs to; nil for the workflow's own plans.
    package let parent: InstanceID?
    /// The parent's address; empty without one.
    package let base: String
    /// Whether the same addresses may come again, because something around them is repeated.
    package let isRevisitable: Bool
    /// Which of `RunState.compensations` this carries out.
    package let compensation: Int?

    package var steps: [StepState]
    /// For each step, how many of its needs are not settled yet (graphs).
    package var unsettledNeeds: [Int]
    /// Steps that are not settled.
    package var unsettled: Int
    /// Steps that have begun and not ended.
    package var begun = 0
    /// The open frames under steps of this one.
    var children: Set<Int> = []
    /// The first failure in here that nothing passes over.
    package var failure: Failure?
    /// Whether nothing new starts in here: a step failed, or what is around ends.
    package var isHalted = false
    /// Whether this is over, and kept only for what may have to be undone in it.
    package var isClosed = false
    /// Whether something that was done in here may still have to be undone, with these steps in scope.
    package var isPinned = false
    /// What earlier visits of steps came to, the oldest first, where something done then may still be undone.
    var past: [Int: [PastStep]] = [:]

    init(
        id: Int, kind: Kind, plan: Plan, parent: InstanceID?, base: String, isRevisitable: Bool,
        compensation: Int? = nil
    ) {
        self.id = id
        self.kind = kind
        self.plan = plan
        self.parent = parent
        self.base = base
        self.isRevisitable = isRevisitable
        self.compensation = compensation
        steps = [StepState](repeating: StepState(), count: plan.steps.count)
        unsettledNeeds = plan.steps.map { $0.needs.count }
        unsettled = plan.steps.count
    }

    /// The status that the step had before.
    mutating func setStatus(_ status: StepStatus, of step: Int) -> StepStatus {
        let old = steps[step].status
        steps[step].status = status
        if old.isBegun != status.isBegun { begun += status.isBegun ? 1 : -1 }
        if old.isSettled != status.isSettled { unsettled += status.isSettled ? -1 : 1 }
        return old
    }

    /// What addresses of this frame begin with, or are: `group.`, `load-3`, `stage-compensate`; empty at the top.
    var key: String {
        switch kind {
        case .root, .onFailure, .finally: ""
        case .group: base + "."
        case .item(let index): "\(base)-\(index)"
        case .auxiliary(let name): "\(base)-\(name)"
        }
    }

    package func address(of step: Int) -> String {
        switch kind {
        case .root, .onFailure, .finally: plan.ids[step]
        case .group: "\(base).\(plan.ids[step])"
        case .item, .auxiliary: key
        }
    }

    /// The item's index, where this is one.
    var item: Int? { if case .item(let index) = kind { index } else { nil } }

    /// Whether its one step serves another one that goes on afterwards: it is kept until that has read what came of it.
    var isServant: Bool {
        switch kind {
        case .auxiliary(Self.check), .auxiliary(Self.poll): true
        default: false
        }
    }

    /// Whether nothing is left to do in here; a machine's next state must not be ready.
    var isDone: Bool {
        if isHalted { return begun == 0 }
        switch plan.shape {
        case .graph: return unsettled == 0
        case .machine: return begun == 0
        }
    }
}

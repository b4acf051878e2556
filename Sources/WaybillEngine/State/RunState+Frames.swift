import WaybillCore
package import WaybillManifests

// Steps by address. An entry names a step by its address alone, so what an address stands for follows from the state.

extension RunState {
    package subscript(_ id: InstanceID) -> StepState {
        get {
            if id.frame == Frame.root { return frames.root?.steps[id.step] ?? StepState() }
            return frames[id.frame]?.steps[id.step] ?? StepState()
        }
        _modify {
            // Whoever has an id got it from a frame that is open: frames with open steps are never dropped.
            yield &frames[id.frame]!.steps[id.step]
        }
    }

    /// The definition of a step; it must be in an open frame.
    package func definition(of id: InstanceID) -> StepDefinition { plan(of: id.frame).steps[id.step] }

    func action(of id: InstanceID) -> Action { plan(of: id.frame).steps[id.step].action }

    package func plan(of frame: Int) -> Plan {
        // In the root frame it is the workflow's own.
        frame == Frame.root ? definition.plan : frames[frame]?.plan ?? definition.plan
    }

    package func address(of id: InstanceID) -> String {
        if id.frame == Frame.root { return definition.plan.ids[id.step] }
        return frames[id.frame]?.address(of: id.step) ?? ""
    }

    /// The step that an address stands for now; nil where there is none.
    package func instance(at address: String) -> InstanceID? {
        guard let mark = address.utf8.lastIndex(where: { $0 == UInt8(ascii: ".") || $0 == UInt8(ascii: "-") }) else {
            return topLevelInstance(address)
        }
        if address.utf8[mark] == UInt8(ascii: "-") {
            return frameIDs[address].map { InstanceID(frame: $0, step: 0) }
        }
        let next = address.utf8.index(after: mark)
        guard let frame = frameIDs[String(address[..<next])], let plan = frames[frame]?.plan,
            let step = plan.index(of: String(address[next...]))
        else { return nil }
        return InstanceID(frame: frame, step: step)
    }

    private func topLevelInstance(_ id: String) -> InstanceID? {
        if let step = definition.plan.index(of: id) { return InstanceID(frame: Frame.root, step: step) }
        for key in [Frame.Kind.onFailure, .finally] {
            guard let frame = frameIDs[Self.topLevelKey(key)], let step = frames[frame]?.plan.index(of: id) else {
                continue
            }
            return InstanceID(frame: frame, step: step)
        }
        return nil
    }

    /// Under which `onFailure` and `finally` are found: no address has such a key.
    private static func topLevelKey(_ kind: Frame.Kind) -> String { kind == .finally ? "/finally" : "/onFailure" }

    // MARK: - Opening and closing

    /// Opens a frame under a step, or at the top.
    @discardableResult
    mutating func openFrame(
        _ kind: Frame.Kind, _ plan: Plan, under parent: InstanceID?, base: String? = nil, compensation: Int? = nil
    ) -> Int {
        let id = nextFrame
        nextFrame += 1
        // A run that may start over repeats everything, and `@retry` of one that was held whatever failed.
        var isRevisitable = definition.onPause == .rollback || definition.failure == .hold
        if let parent, let outer = frames[parent.frame] {
            isRevisitable =
                isRevisitable || outer.isRevisitable || outer.plan.shape != .graph
                || outer.plan.steps[parent.step].isVisitedAgain
        }
        var frame = Frame(
            id: id, kind: kind, plan: plan, parent: parent, base: base ?? parent.map(address(of:)) ?? "",
            isRevisitable: isRevisitable, compensation: compensation)
        if frame.isServant || isRevisitable {
            for step in frame.steps.indices {
                guard let past = pastVisits[frame.address(of: step)] else { continue }
                frame.steps[step].visit = past.visit
                frame.steps[step].visitsBefore = past.visit
                frame.steps[step].eventsTaken = past.eventsTaken
            }
        }
        counts.pending += frame.steps.count
        for step in frame.steps.indices where frame.unsettledNeeds[step] == 0 {
            ready.insert(InstanceID(frame: id, step: step))
        }
        frames[id] = frame
        if let parent { frames[parent.frame]?.children.insert(id) }
        name(frame)
        return id
    }

    /// Lets a frame be found by the addresses in it.
    mutating func name(_ frame: Frame) {
        frameIDs[frame.parent == nil ? Self.topLevelKey(frame.kind) : frame.key] = frame.id
    }

    /// Lets a frame go in which nothing is under way.
    ///
    /// - Parameter isCounted: whether its steps go on to count in what people see of the run's progress; those that are
    ///   visited again do not.
    mutating func closeFrame(_ id: Int, isCounted: Bool = true) {
        guard id != Frame.root, let frame = frames[id] else { return }
        if !isCounted || frame.isServant {
            for step in frame.steps { counts[step.status] -= 1 }
        } else if definition.failure == .hold, let parent = frame.parent, frames[parent.frame] != nil {
            for step in frame.steps { self[parent].inside.add(step) }
        }
        if let parent = frame.parent { frames[parent.frame]?.children.remove(id) }
        for step in frame.steps.indices {
            ready.remove(InstanceID(frame: id, step: step))
            abandoned.remove(InstanceID(frame: id, step: step))
        }
        if frame.isRevisitable || frame.isServant {
            for (step, state) in frame.steps.enumerated() where state.visit > 0 {
                pastVisits[frame.address(of: step)] = PastVisits(visit: state.visit, eventsTaken: state.eventsTaken)
            }
        }
        if frameIDs[frame.key] == id { frameIDs[frame.key] = nil }
        if frame.isPinned { frames[id]?.isClosed = true } else { frames[id] = nil }
    }

    /// Keeps a frame and those around it for as long as what was done in them can be undone.
    mutating func pin(_ frame: Int) {
        var next: Int? = frame
        while let id = next, frames[id]?.isPinned == false {
            frames[id]?.isPinned = true
            next = frames[id]?.parent?.frame
        }
    }

    // MARK: - Asking

    /// The frame inside a group, while it is open.
    func groupFrame(of id: InstanceID) -> Frame? {
        guard frames.hasOthers else { return nil }
        return frameIDs[address(of: id) + "."].flatMap { frames[$0] }
    }

    /// The frame of the step that serves this one, `check` or `poll`, while it is open.
    func servant(_ name: String, of id: InstanceID) -> Frame? {
        guard frames.hasOthers else { return nil }
        return frameIDs["\(address(of: id))-\(name)"].flatMap { frames[$0] }
    }

    /// Lets go of what served a step, once that goes on.
    mutating func closeServants(of id: InstanceID) {
        guard frames.hasOthers else { return }
        let step = definition(of: id)
        if let frame = undoing(rejectedOf: id) {
            if let record = frame.compensation, compensations[record].status == .running { postpone(record) }
            closeFrame(frame.id)
        }
        if case .wait(.job) = step.action, let frame = servant(Frame.poll, of: id) { closeFrame(frame.id) }
        if case .check = step.effectiveUnknownRule, let frame = servant(Frame.check, of: id) { closeFrame(frame.id) }
    }

    /// The frames around a step, innermost first, ending at the workflow's own plan.
    func frameChain(of frame: Int) -> [Frame] {
        var chain: [Frame] = []
        var next: Int? = frame
        while let id = next, let frame = frames[id] {
            chain.append(frame)
            next = frame.parent?.frame ?? (id == Frame.root ? nil : Frame.root)
        }
        return chain
    }

    /// The item that a step belongs to, of the innermost loop around it.
    func item(around frame: Int) -> (loop: InstanceID, index: Int)? {
        guard frame != Frame.root else { return nil }
        for frame in frameChain(of: frame) {
            if let index = frame.item, let loop = frame.parent { return (loop, index) }
        }
        return nil
    }

    /// What a run's address stands for in its definition, whether or not it was visited.
    package static func isTopLevel(_ address: String) -> Bool {
        !address.utf8.contains { $0 == UInt8(ascii: ".") || $0 == UInt8(ascii: "-") }
    }
}

extension StepDefinition {
    /// Whether the step may be visited, or a group be tried, several times in one plan.
    var isVisitedAgain: Bool {
        if repetition != nil { return true }
        guard case .steps = action else { return false }
        return retry != nil
    }
}

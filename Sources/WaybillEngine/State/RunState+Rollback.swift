import WaybillCore
import WaybillManifests

// `onPause: rollback`: a pause undoes what was done, and a resume begins anew.

extension RunState {
    /// The workflow's own plan begins anew: as new visits, with the variables it began with. What was emitted, asked and
    /// used so far stays said.
    mutating func startOver() {
        var visits: [PastVisits] = []
        for id in frames.keys.sorted() where id != Frame.root { closeFrame(id) }
        for step in frames[Frame.root]?.steps ?? [] {
            visits.append(PastVisits(visit: step.visit, eventsTaken: step.eventsTaken))
        }
        var root = Frame(
            id: Frame.root, kind: .root, plan: definition.plan, parent: nil, base: "", isRevisitable: false)
        for (step, past) in visits.enumerated() {
            root.steps[step].visit = past.visit
            root.steps[step].eventsTaken = past.eventsTaken
        }
        frames = FrameTable()
        frames[Frame.root] = root
        frameIDs = [:]
        counts = StepCounts()
        counts.pending = root.steps.count
        ending = nil
        stage = .main
        error = nil
        outputs = nil
        outstanding = []
        ready.removeAll()
        begin()
    }

    /// Makes ready what a plan begins with.
    mutating func begin() {
        variables = Object(definition.variables.map { ($0.name, $0.defaultValue) })
        pastVariables = [:]
        switch definition.plan.shape {
        case .graph:
            for (step, needs) in (frames[Frame.root]?.unsettledNeeds ?? []).enumerated() where needs == 0 {
                ready.insert(InstanceID(frame: Frame.root, step: step))
            }
        case .machine(let start): ready.insert(InstanceID(frame: Frame.root, step: start))
        }
    }
}

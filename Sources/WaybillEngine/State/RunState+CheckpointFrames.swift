import WaybillCore
import WaybillManifests

// Frames in a checkpoint. What follows from the statuses of their steps is counted anew.

extension StepCounts {
    static let statuses: [StepStatus] = [
        .pending, .running, .waiting, .completed, .failed, .skipped, .cancelled, .unknown,
    ]

    var record: Value { .object(Object(Self.statuses.map { ($0.rawValue, .int(Int64(self[$0]))) })) }

    init(record: Value?) {
        for status in Self.statuses { self[status] = Int(record?[status.rawValue]?.intValue ?? 0) }
    }
}

extension Frame {
    var record: Value {
        var object: Object = [
            "id": .int(Int64(id)), "kind": .string(word), "base": .string(base),
            "revisitable": .bool(isRevisitable), "pinned": .bool(isPinned), "halted": .bool(isHalted),
            "closed": .bool(isClosed),
            "steps": .list(steps.enumerated().compactMap { StepRecord(index: $0, state: $1).value }),
        ]
        if let item { object["item"] = .int(Int64(item)) }
        if let parent { object["parent"] = [.int(Int64(parent.frame)), .int(Int64(parent.step))] }
        object["compensation"] = compensation.map { .int(Int64($0)) }
        object["failure"] = failure?.value
        if !past.isEmpty {
            object["past"] = .list(past.keys.sorted().flatMap { past[$0]?.records(of: $0) ?? [] })
        }
        return .object(object)
    }

    private var word: String {
        switch kind {
        case .root: "root"
        case .onFailure: "onFailure"
        case .finally: "finally"
        case .group: "group"
        case .item: "item"
        case .auxiliary(let name): name
        }
    }

    private static func kind(_ word: String, item: Int?) -> Kind? {
        switch word {
        case "root": .root
        case "onFailure": .onFailure
        case "finally": .finally
        case "group": .group
        case "item": item.map(Kind.item)
        case compensate, check, poll: .auxiliary(word)
        default: nil
        }
    }

    /// - Parameter definition: whose plans the frames carry out.
    init(record: Value, definition: WorkflowDefinition) throws(EngineError) {
        let object = record.objectValue ?? Object()
        let fields = CheckpointFields(object)
        let item = object["item"]?.intValue.map(Int.init)
        let kind = try fields.word("kind") { Self.kind($0, item: item) }
        let base = try fields.text("base")
        guard let plan = Self.plan(of: kind, base: base, in: definition) else {
            throw EngineError(.malformedCheckpoint, "the checkpoint has a step the definition does not have")
        }
        let place = object["parent"]?.listValue?.compactMap(\.intValue).map(Int.init) ?? []
        self.init(
            id: Int(try fields.int("id")), kind: kind, plan: plan,
            parent: place.count == 2 ? InstanceID(frame: place[0], step: place[1]) : nil, base: base,
            isRevisitable: object["revisitable"]?.boolValue ?? false,
            compensation: object["compensation"]?.intValue.map(Int.init))
        isPinned = object["pinned"]?.boolValue ?? false
        isHalted = object["halted"]?.boolValue ?? false
        isClosed = object["closed"]?.boolValue ?? false
        failure = Failure(object["failure"])
        for value in fields.list("steps") { try take(try StepRecord(value)) }
        for value in fields.list("past") {
            let record = try StepRecord(value["step"] ?? .null)
            let until = Int(try CheckpointFields(value.objectValue ?? Object()).int("until"))
            past[record.index, default: []].append(PastStep(until: until, state: record.state))
        }
    }

    private mutating func take(_ record: StepRecord) throws(EngineError) {
        guard steps.indices.contains(record.index) else {
            throw EngineError(.malformedCheckpoint, "the checkpoint has a step the definition does not have")
        }
        steps[record.index] = record.state
        if record.state.status.isBegun { begun += 1 }
        guard record.state.status.isSettled else { return }
        unsettled -= 1
        guard plan.shape == .graph else { return }
        for dependant in plan.dependants[record.index] { unsettledNeeds[dependant] -= 1 }
    }

    private static func plan(of kind: Kind, base: String, in definition: WorkflowDefinition) -> Plan? {
        switch kind {
        case .root: return definition.plan
        case .onFailure: return definition.onFailure
        case .finally: return definition.finally
        case .group:
            if case .steps(let plan)? = definition.step(at: base)?.action { return plan }
        case .item:
            if case .forEach(let loop)? = definition.step(at: base)?.action { return loop.body }
        case .auxiliary(compensate): return definition.step(at: base)?.undoPlan
        case .auxiliary(check):
            if case .check(let plan)? = definition.step(at: base)?.effectiveUnknownRule { return plan }
        case .auxiliary:
            if case .wait(.job(let job))? = definition.step(at: base)?.action { return job.poll }
        }
        return nil
    }
}

extension RunState {
    mutating func restoreFrames(_ object: Object) throws(EngineError) {
        let fields = CheckpointFields(object)
        nextFrame = Int(try fields.int("nextFrame"))
        frames = FrameTable()
        for value in fields.list("frames") {
            let frame = try Frame(record: value, definition: definition)
            frames[frame.id] = frame
        }
        for frame in frames.values where frame.id != Frame.root && !frame.isClosed {
            name(frame)
            if let parent = frame.parent { frames[parent.frame]?.children.insert(frame.id) }
        }
        counts = StepCounts(record: object["counts"])
        for (address, value) in object["visits"]?.objectValue ?? Object() {
            let numbers = (value.listValue ?? []).compactMap { $0.intValue.map(Int.init) }
            pastVisits[address] = PastVisits(
                visit: numbers.first ?? 0, eventsTaken: Set(numbers.dropFirst()))
        }
        for (name, values) in object["pastVars"]?.objectValue ?? Object() {
            pastVariables[name] = (values.listValue ?? []).compactMap { past in
                past["until"]?.intValue.map { PastValue(until: Int($0), value: past["value"] ?? .null) }
            }
        }
        for (address, visits) in object["undoVisits"]?.objectValue ?? Object() {
            takenUndoVisits[address] = Set((visits.listValue ?? []).compactMap { $0.intValue.map(Int.init) })
        }
        for value in fields.list("compensations") { compensations.append(try CompensationRecord(record: value)) }
        recountCompensations()
        for (id, frame) in frames {
            for (step, state) in frame.steps.enumerated() where state.status == .running && state.isOutside {
                outstanding.insert(InstanceID(frame: id, step: step))
            }
        }
        for id in instances(fields.list("ready")) { ready.insert(id) }
        for id in instances(fields.list("abandoned")) { abandoned.insert(id) }
    }

    /// `[[frame, step], ...]`: those that are there.
    private func instances(_ values: [Value]) -> [InstanceID] {
        values.compactMap { value in
            let place = value.listValue?.compactMap(\.intValue).map(Int.init) ?? []
            guard place.count == 2, frames[place[0]]?.steps.indices.contains(place[1]) == true else { return nil }
            return InstanceID(frame: place[0], step: place[1])
        }
    }
}

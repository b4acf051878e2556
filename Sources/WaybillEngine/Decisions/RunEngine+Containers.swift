import WaybillCore
import WaybillExpressions
import WaybillManifests

// Groups and loops: what they begin, and what they come to.

extension RunEngine {
    /// Goes on with a step that has begun: a group whose steps are settled, a loop that may begin an item or is over.
    mutating func goOn(_ id: InstanceID, _ step: StepDefinition) throws(EngineError) {
        switch step.action {
        case .steps: try endGroup(id)
        case .forEach(let loop): try goOn(id, loop)
        case .wait(.job): try goOn(withJob: id)
        default: throw EngineError(.unexpectedStimulus, "\(state.address(of: id)) has nothing to go on with")
        }
    }

    // MARK: - Groups

    private mutating func endGroup(_ id: InstanceID) throws(EngineError) {
        guard let frame = state.groupFrame(of: id), frame.isDone else { return }
        if let failure = frame.failure { return try settle(id, .failed(failure, AttemptReport())) }
        // What was done counts, though nothing new starts any more.
        let isWhole = frame.unsettled == 0 && !frame.steps.contains { $0.status == .cancelled }
        guard isWhole else { return try settle(id, .cancelled(Failure(.cancelled, Self.haltMessage))) }
        try settle(id, .completed(output: .object(outputs(of: frame)), AttemptReport()))
    }

    static let haltMessage = "nothing new starts any more"

    /// The outputs of the steps that completed and have one, by id.
    private func outputs(of frame: Frame) -> Object {
        var outputs = Object()
        for (index, step) in frame.steps.enumerated() where step.status == .completed {
            let id = InstanceID(frame: frame.id, step: index)
            // A group's output is recorded as it is.
            if frame.plan.steps[index].isSensitive { continue }
            if let output = outputValue(of: id) { outputs[frame.plan.steps[index].id] = output }
        }
        return outputs
    }

    private func outputValue(of id: InstanceID) -> Value? {
        let step = state[id]
        return StepView(state: step, reader: payloadReader).value(of: "output")
    }

    // MARK: - Loops

    func resolve(
        _ loop: ForEachAction, in scope: RunScope, into resolved: inout ResolvedAction
    ) throws(EvaluationFailure) {
        let value = try evaluate(loop.items, in: scope, "forEach.items")
        let items: [Value]
        switch value {
        case .list(let list): items = list
        case .object(let object): items = object.map { ["key": .string($0.key), "value": $0.value] }
        default:
            let message = "forEach.items: expected a list or a map, got \(value.kindName)"
            throw EvaluationFailure(Failure(.expression, message))
        }
        guard items.count <= ForEachAction.mostItems else {
            let message = "forEach.items: \(items.count) items are more than \(ForEachAction.mostItems)"
            throw EvaluationFailure(Failure(.limit, message))
        }
        try checkKeys(of: loop, items, in: scope)
        resolved.intent["count"] = .int(Int64(items.count))
        resolved.items = .list(items)
    }

    private mutating func goOn(_ id: InstanceID, _ action: ForEachAction) throws(EngineError) {
        if state[id].loop?.hasNext == true, !isHalted(id) {
            guard state[id].loop.map({ $0.running < action.maxParallel }) == true,
                let item = state.openNextItem(of: id)
            else { return }
            return try decide(item)
        }
        // From here on the loop only ends, so a copy of it costs what its end costs.
        guard let loop = state[id].loop, loop.running == 0 else { return }
        var report = AttemptReport()
        let items = results(of: loop)
        write(items, as: "items", into: &report.extra)
        if loop.failed > 0 { report.extra["failed"] = .int(Int64(loop.failed)) }
        if loop.failed > 0, action.onItemFailure != .collect {
            let first = loop.results.first { $0.status == .failed }?.error
            var failure = first ?? Failure(.failed, "an item failed")
            if loop.failed > 1 { failure.message = "\(loop.failed) items failed; the first: \(failure.message)" }
            return try settle(id, .failed(failure, report))
        }
        let isWhole = loop.next == loop.count && !loop.results.contains { $0.status == .cancelled }
        guard isWhole || !isHalted(id) else {
            return try settle(id, .cancelled(Failure(.cancelled, Self.haltMessage)))
        }
        try settle(id, .completed(output: .list(LoopItems.outputs(items)), report))
    }

    /// `steps.<id>.items`: also of items that never began.
    private func results(of loop: LoopState) -> Value {
        .list(
            (0..<loop.count).map { index in
                let result = loop.results.indices.contains(index) ? loop.results[index] : ItemResult()
                var object: Object = [
                    "index": .int(Int64(index)), "key": .string(result.key ?? String(index)),
                    "status": .string(result.status.rawValue),
                ]
                if let output = result.output.flatMap(value(of:)) { object["output"] = output }
                if let error = result.error { object["error"] = error.value }
                return .object(object)
            })
    }
}

extension StepDefinition {
    var isLoop: Bool { if case .forEach = action { true } else { false } }
}

/// `steps.<id>.items` as a value.
enum LoopItems {
    /// The outputs in the order of the items; null where an item has none.
    static func outputs(_ items: Value?) -> [Value] { (items?.listValue ?? []).map { $0["output"] ?? .null } }
}

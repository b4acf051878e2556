import WaybillCore
import WaybillExpressions
import WaybillManifests

/// What an expression of a workflow or policy may speak of, at one point of a run.
///
/// It holds on to the plans around the step, and to nothing else of the state that changes. It must not outlive the
/// evaluation it is made for: while it lives, a change of the state copies the table of steps.
final class RunScope: Scope {
    let zones: any TimeZoneSource
    private let reader: PayloadReader
    private let run: RunFacts
    /// The step whose field is evaluated.
    private let place: Place?
    /// With what the step's own `update` is about to change.
    private let variables: Object
    /// The plans whose steps can be named, innermost first.
    private let frames: [Frame]
    private let item: LoopItem?
    /// The item of what is being undone: its loop may be over.
    private let undoneItem: Value?
    /// A step as it will be once its end is recorded.
    private let preview: StepPreview?
    /// What a capability was given; nil where the run's own inputs count.
    private let inputs: Value?
    private let output: Value?
    private let error: Value?
    private let event: Value?
    private let outputs: Object?

    /// - Parameters:
    ///   - id: the step whose field is evaluated; nil for the workflow's own.
    ///   - result: the visit's result, for `verify`, `update`, `next`, `catch` and `retry`.
    ///   - policyView: the full `step` that a rule sees.
    ///   - inputs: for the fields of a capability, what its user gave it.
    ///   - event: for the `match` of a wait.
    ///   - previewsResult: whether `steps` tells of the result as if it were recorded.
    ///   - engine: lent, where an initialiser would own it: a copy of the whole state took 2 % of a decision.
    init(
        _ engine: __shared RunEngine, _ id: InstanceID? = nil, visit: Int = 1, result: Outcome? = nil,
        policyView: Object? = nil, outputs: Object? = nil, inputs: Value? = nil, event: Value? = nil,
        previewsResult: Bool = false
    ) {
        reader = engine.payloadReader
        zones = engine.definition.zones
        run = engine.state.facts
        var frames = engine.state.framesInScope(of: id?.frame ?? Frame.root)
        var variables = engine.state.variables(after: result?.updates ?? Object())
        var place: Place?
        var inputs = inputs
        var output: Value?
        var undoneItem: Value?
        var item: LoopItem?
        var preview: StepPreview?
        if let id {
            place = engine.state.place(of: id, visit: visit, policyView: policyView)
            item = engine.state.loopItem(around: id)
            if previewsResult, let result { preview = StepPreview(id, engine.state[id], result) }
            if let record = engine.state.compensation(of: id.frame) {
                output = record.output.flatMap(reader.value(of:)) ?? .null
                place?.visit = record.visit
                inputs = inputs ?? record.inputs
                undoneItem = record.item.flatMap(reader.value(of:))
                frames = frames.map { $0.asLeft(by: record.seq) }
                variables = engine.state.variables(asLeftBy: record.seq)
            }
        }
        if let result {
            if result.status == .completed { output = result.output ?? .null }
            error = result.failure?.value ?? .null
        } else {
            error = engine.state.error?.value ?? .null
        }
        self.item = item
        self.preview = preview
        self.place = place
        self.frames = frames
        self.variables = variables
        self.output = output
        self.outputs = outputs
        self.event = event
        self.inputs = inputs
        self.undoneItem = undoneItem
    }

    /// For the goal of a run that is about to start.
    init(starting state: RunState, zones: any TimeZoneSource) {
        run = state.facts
        self.zones = zones
        reader = PayloadReader(blobs: [], source: nil, cache: PayloadCache())
        frames = []
        place = nil
        item = nil
        undoneItem = nil
        preview = nil
        inputs = nil
        output = nil
        error = nil
        event = nil
        outputs = nil
        variables = state.variables
    }

    func variable(_ name: String) -> CELValue? {
        switch name {
        case "steps": .lazyMap(StepsMap(frames: frames, preview: preview, reader: reader))
        default: value(ofVariable: name).map { CELValue($0) }
        }
    }

    private func value(ofVariable name: String) -> Value? {
        switch name {
        case "inputs": inputs ?? reader.value(of: run.inputs)
        case "context": .object(run.context)
        case "vars": .object(variables)
        case "trigger": run.trigger
        case "item": itemValue
        case "index": item.map { .int(Int64($0.index)) }
        case "run": run.value
        case "visit": place.map { .int(Int64($0.visit)) }
        case "attempt": place.map { .int(Int64($0.attempt)) }
        case "step": place.map { $0.step(of: run.ownID) }
        case "output": output
        case "error": error
        case "event": event
        case "outputs": outputs.map { .object($0) }
        default: nil
        }
    }

    /// The item of the innermost loop around the step.
    var itemValue: Value? {
        if let undoneItem { return undoneItem }
        guard let item, let list = item.items.flatMap(reader.value(of:))?.listValue, list.indices.contains(item.index)
        else { return nil }
        return list[item.index]
    }

    /// The JSON value at a path such as `steps.build.output.coverage`; nil if there is none.
    func value(at path: [String]) -> Value? {
        guard let root = path.first else { return nil }
        var rest = path.dropFirst()
        var value: Value?
        if root == "steps" {
            let steps = StepsMap(frames: frames, preview: preview, reader: reader)
            guard let id = rest.popFirst(), let step = steps.step(id) else { return nil }
            let view = StepView(state: step, reader: reader)
            guard let member = rest.popFirst() else { return .string(step.status.rawValue) }
            value = view.value(of: member)
        } else {
            value = self.value(ofVariable: root)
        }
        for name in rest { value = value?[name] }
        return value
    }
}

/// What a run's expressions can see of the run as a whole.
private struct RunFacts: Sendable {
    let ownID: String
    let shownID: String
    let startedAt: Timestamp
    let startedBy: String?
    let inputs: Payload
    let context: Object
    let trigger: Value

    /// `run`.
    var value: Value {
        [
            "id": .string(shownID), "startedAt": .string(startedAt.description),
            "startedBy": startedBy.map(Value.string) ?? .null,
        ]
    }
}

/// The step whose field is evaluated. Most fields do not ask for it, so that what costs something is made when they do.
private struct Place: Sendable {
    let id: String
    let address: String
    /// The visit that is evaluated, which the idempotency key is of.
    let ownVisit: Int
    /// The one that is shown: for what undoes a visit, that one.
    var visit: Int
    let attempt: Int
    let policyView: Object?

    /// `step`.
    func step(of run: String) -> Value {
        if let policyView { return .object(policyView) }
        let key = IdempotencyKey.make(run: run, address: address, visit: ownVisit)
        return ["id": .string(id), "idempotencyKey": .string(key)]
    }
}

/// The item that a step belongs to, of the innermost loop around it.
private struct LoopItem: Sendable {
    let index: Int
    /// Of the whole loop; nil once that has ended.
    let items: Payload?
}

extension RunState {
    fileprivate var facts: RunFacts {
        RunFacts(
            ownID: id, shownID: undoes ?? id, startedAt: startedAt, startedBy: startedBy, inputs: inputs,
            context: context, trigger: trigger)
    }

    fileprivate func place(of id: InstanceID, visit: Int, policyView: Object?) -> Place {
        let current = self[id]
        let attempt = current.visit == visit ? max(current.attempt, 1) : 1
        return Place(
            id: plan(of: id.frame).ids[id.step], address: address(of: id), ownVisit: visit, visit: visit,
            attempt: attempt, policyView: policyView)
    }

    fileprivate func loopItem(around id: InstanceID) -> LoopItem? {
        guard let item = item(around: id.frame) else { return nil }
        return LoopItem(index: item.index, items: self[item.loop].loop?.items)
    }

    /// The plans whose steps can be named inside a frame, innermost first.
    fileprivate func framesInScope(of frame: Int) -> [Frame] {
        // In most workflows there is only the one.
        if frame == Frame.root, let root = frames.root { return [root] }
        return frameChain(of: frame).filter(\.namesSteps)
    }
}

extension Frame {
    /// Whether `steps.<id>` finds the steps in here: an item's only step has its loop's id, and a step that serves
    /// another one is not for others to read.
    fileprivate var namesSteps: Bool {
        switch kind {
        case .root, .onFailure, .finally, .group: true
        case .item, .auxiliary: false
        }
    }
}

/// `SHA-256(<run id>/<address>/<visit>)`, in hex: the same for every attempt of a visit.
package enum IdempotencyKey {
    package static func make(run: String, address: String, visit: Int) -> String {
        Digest.sha256("\(run)/\(address)/\(visit)").hex
    }
}

/// Reads payloads during one evaluation.
struct PayloadReader: Sendable {
    /// Payloads of the decision being made, which are not stored yet.
    var blobs: [Blob]
    var source: (any PayloadSource)?
    var cache: PayloadCache

    func value(of payload: Payload) -> Value? {
        switch payload {
        case .inline(let value): return value
        case .artifact(let digest, let size):
            return cache.value(digest, size: size) { stored(digest) }
        case .sealed(let digest, let size):
            return cache.value(digest, size: size) { Payload.opened(stored(digest)) }
        }
    }

    private func stored(_ digest: Digest) -> Value? {
        if let blob = blobs.first(where: { $0.digest == digest }) { return try? JSON.parse(blob.bytes) }
        return source?.payload(digest)
    }

    /// The outputs in a payload of items.
    func outputs(of items: Payload) -> Value {
        guard case .artifact(let digest, let size) = items else { return .list(LoopItems.outputs(value(of: items))) }
        let outputs = cache.value(digest, .outputs, size: size) { .list(LoopItems.outputs(value(of: items))) }
        return outputs ?? []
    }
}

/// `steps`: made step by step as it is read, however many there are.
private final class StepsMap: LazyMap {
    private let frames: [Frame]
    private let preview: StepPreview?
    private let reader: PayloadReader

    init(frames: [Frame], preview: StepPreview?, reader: PayloadReader) {
        self.frames = frames
        self.preview = preview
        self.reader = reader
    }

    var count: Int { keys.count }
    var keys: [String] {
        Set(frames.flatMap { $0.plan.steps.map(\.id) }).sorted { $0.precedesInCodePoints($1) }
    }

    func member(_ key: String) -> CELValue? {
        step(key).map { .lazyMap(StepView(state: $0, reader: reader)) }
    }

    /// The step with an id in the innermost plan that has one.
    func step(_ id: String) -> StepState? {
        for frame in frames {
            guard let index = frame.plan.index(of: id) else { continue }
            if let preview, preview.id == InstanceID(frame: frame.id, step: index) { return preview.state }
            return frame.steps[index]
        }
        return nil
    }
}

/// A step whose visit is over and not recorded yet.
private struct StepPreview {
    let id: InstanceID
    private(set) var state: StepState

    init(_ id: InstanceID, _ current: StepState, _ outcome: Outcome) {
        self.id = id
        state = current
        state.status = outcome.status
        state.output = outcome.output.map(Payload.inline)
        state.error = outcome.failure
    }
}

/// `steps.<id>`.
final class StepView: LazyMap {
    private let state: StepState
    private let reader: PayloadReader

    init(state: StepState, reader: PayloadReader) {
        self.state = state
        self.reader = reader
    }

    var keys: [String] {
        ["answers", "artifacts", "attempts", "error", "exitCode", "items", "output", "status", "visits"]
            .filter { value(of: $0) != nil }
    }
    var count: Int { keys.count }

    func member(_ key: String) -> CELValue? { value(of: key).map { CELValue($0) } }

    func value(of name: String) -> Value? {
        switch name {
        case "status": .string(state.status.rawValue)
        case "attempts": .int(Int64(state.attempt))
        case "visits": .int(Int64(state.visit))
        // It exists only when the step completed, and between two visits of a `while`.
        case "output": hasOutput ? output : nil
        // Null where there is none, as everywhere else that shows them.
        case "exitCode": state.exitCode.map { .int(Int64($0)) } ?? .null
        case "error": state.error?.value ?? .null
        case "artifacts": .list(state.artifacts.map(\.value))
        case "items": state.items.flatMap(reader.value(of:)) ?? .list([])
        case "answers": .list(answers)
        default: nil
        }
    }

    private var hasOutput: Bool {
        switch state.status {
        case .completed, .compensated: true
        case .pending, .running, .waiting: state.output != nil || state.items != nil
        default: false
        }
    }

    /// A loop's is made from its items, unless a `catch` put another one in its place.
    private var output: Value? {
        if let output = state.output { return reader.value(of: output) }
        return state.items.map(reader.outputs(of:))
    }

    /// Each with the value it came to.
    private var answers: [Value] {
        state.answers.map { answer in
            var shown = Object()
            for name in ["by", "at", "sha256", "source"] { shown[name] = answer[name] }
            if let own = answer.objectValue.flatMap({ Payload.read("value", from: $0) }) {
                shown["value"] = reader.value(of: own)
            } else if state.status == .completed, let output = state.output {
                shown["value"] = reader.value(of: output)
            }
            return .object(shown)
        }
    }
}

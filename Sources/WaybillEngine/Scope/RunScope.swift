import WaybillCore
import WaybillExpressions
import WaybillManifests

/// What an expression of a workflow or policy may speak of, at one point of a run.
///
/// It holds a copy of the state. It must not outlive the evaluation it is made for: while it lives, a change of the
/// state copies the table of steps.
final class RunScope: Scope {
    private let state: RunState
    private let reader: PayloadReader
    private let locals: Object

    /// - Parameters:
    ///   - step: the step whose field is evaluated; nil for the workflow's own.
    ///   - result: the visit's result, for `verify`, `update` and `next`.
    ///   - policyView: the full `step` that a rule sees.
    init(
        _ engine: RunEngine, step: Int? = nil, visit: Int = 1, result: Outcome? = nil, policyView: Object? = nil,
        outputs: Object? = nil
    ) {
        state = engine.state
        reader = engine.payloadReader
        var locals = Object()
        if let step {
            let id = engine.definition.workflow.plan.steps[step].id
            let current = engine.state.steps[step]
            locals["visit"] = .int(Int64(visit))
            locals["attempt"] = .int(Int64(current.visit == visit ? max(current.attempt, 1) : 1))
            let key = IdempotencyKey.make(run: engine.state.id, address: id, visit: visit)
            locals["step"] = .object(policyView ?? ["id": .string(id), "idempotencyKey": .string(key)])
        }
        if let result {
            if result.status == .completed { locals["output"] = result.output ?? .null }
            locals["error"] = result.failure?.value ?? .null
        }
        if let outputs { locals["outputs"] = .object(outputs) }
        self.locals = locals
    }

    /// For the goal of a run that is about to start.
    init(starting state: RunState) {
        self.state = state
        reader = PayloadReader(blobs: [], source: nil)
        locals = Object()
    }

    func variable(_ name: String) -> CELValue? {
        switch name {
        case "steps": .lazyMap(StepsMap(state: state, reader: reader))
        default: value(ofVariable: name).map { CELValue($0) }
        }
    }

    private func value(ofVariable name: String) -> Value? {
        switch name {
        case "inputs": reader.value(of: state.inputs)
        case "context": .object(state.context)
        case "vars": .object(state.variables)
        case "trigger": state.trigger
        case "run":
            [
                "id": .string(state.id), "startedAt": .string(state.startedAt.description),
                "startedBy": state.startedBy.map(Value.string) ?? .null,
            ]
        default: locals[name]
        }
    }

    /// The JSON value at a path such as `steps.build.output.coverage`; nil if there is none.
    func value(at path: [String]) -> Value? {
        guard let root = path.first else { return nil }
        var rest = path.dropFirst()
        var value: Value?
        if root == "steps" {
            guard let id = rest.popFirst(), let index = state.definition.plan.index(of: id) else { return nil }
            let view = StepView(state: state.steps[index], reader: reader)
            guard let member = rest.popFirst() else { return .string(state.steps[index].status.rawValue) }
            value = view.value(of: member)
        } else {
            value = self.value(ofVariable: root)
        }
        for name in rest { value = value?[name] }
        return value
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

    func value(of payload: Payload) -> Value? {
        switch payload {
        case .inline(let value): return value
        case .artifact(let digest, _):
            if let blob = blobs.first(where: { $0.digest == digest }) { return try? JSON.parse(blob.bytes) }
            return source?.payload(digest)
        }
    }
}

/// `steps`: made step by step as it is read, however many there are.
private final class StepsMap: LazyMap {
    private let state: RunState
    private let reader: PayloadReader

    init(state: RunState, reader: PayloadReader) {
        self.state = state
        self.reader = reader
    }

    var count: Int { state.steps.count }
    var keys: [String] { state.definition.plan.steps.map(\.id).sorted { $0.precedesInCodePoints($1) } }

    func member(_ key: String) -> CELValue? {
        state.definition.plan.index(of: key).map { .lazyMap(StepView(state: state.steps[$0], reader: reader)) }
    }
}

/// `steps.<id>`.
private final class StepView: LazyMap {
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
        // It exists only when the step completed.
        case "output": state.status == .completed ? state.output.flatMap(reader.value(of:)) : nil
        case "exitCode": state.exitCode.map { .int(Int64($0)) }
        case "error": state.error?.value
        case "artifacts": .list(state.artifacts.map(\.value))
        case "items": .list([])
        case "answers": .list(answers)
        default: nil
        }
    }

    /// Each with the value it came to.
    private var answers: [Value] {
        state.answers.map { answer in
            guard var object = answer.objectValue, state.status == .completed, let output = state.output else {
                return answer
            }
            object["value"] = reader.value(of: output)
            return .object(object)
        }
    }
}

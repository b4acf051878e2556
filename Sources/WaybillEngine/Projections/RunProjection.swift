import WaybillCore
import WaybillManifests

/// `run.json`, made from the state alone (contract, Appendix A).
package enum RunProjection {
    /// How many entries `active` and `waiting` list at most.
    package static let listLimit = 100

    package static func bytes(_ state: RunState, quarantine: String? = nil) -> [UInt8] {
        var writer = JSONWriter(style: .pretty)
        writer.beginObject()
        writer.member("format", 1 as Int)
        writer.member("id", state.id)
        writer.member("workflow", state.definition.name)
        writer.member("definition", state.definitionDigest.hex)
        writer.member("commit", state.commit)
        writer.member("status", (quarantine == nil ? state.status : .quarantined).rawValue)
        writer.member("createdAt", state.startedAt.description)
        writer.member("startedAt", state.startedAt.description)
        writer.member("endedAt", state.endedAt?.description)
        writer.member("updatedAt", state.lastTimestamp.description)
        writer.member("trigger", state.trigger)
        writer.member("labels", state.labels)
        writer.member("session", state.session)
        writer.member("parent", state.parent)
        write(state.inputs, as: "inputs", to: &writer)
        writer.member("goal", state.goal)
        writer.member("progress", progress(state))
        writer.member("active", Value.list(active(state)))
        writer.member("waiting", Value.list(waiting(state)))
        if let outputs = state.outputs, state.phase.isEnded {
            write(outputs, as: "outputs", to: &writer)
        } else {
            writer.member("outputs", Value.null)
        }
        writer.member("error", state.error?.value ?? .null)
        writer.member("compensation", Value.null)
        writer.member(
            "diagnostics",
            [
                "errors": .int(Int64(state.diagnostics.errors)), "warnings": .int(Int64(state.diagnostics.warnings)),
            ] as Value)
        writeUsage(state, to: &writer)
        writer.member("durability", state.durability.rawValue)
        if let quarantine { writer.member("quarantine", quarantine) }
        writer.name("ledger")
        writer.beginObject()
        writer.member("seq", state.seq)
        writer.member("head", state.head.hex)
        writer.endObject()
        writer.endObject()
        return writer.finish()
    }

    /// A payload that lives in an artifact is shown by its reference: `run.json` is bounded in size.
    private static func write(_ payload: Payload, as name: String, to writer: inout JSONWriter) {
        var holder = Object()
        payload.write(as: name, into: &holder)
        for (name, value) in holder { writer.member(name, value) }
    }

    private static func progress(_ state: RunState) -> Object {
        let counts = state.counts
        return [
            "total": .int(Int64(state.steps.count)), "completed": .int(Int64(counts.completed)),
            "running": .int(Int64(counts.running)), "waiting": .int(Int64(counts.waiting + counts.unknown)),
            "failed": .int(Int64(counts.failed)), "skipped": .int(Int64(counts.skipped)),
        ]
    }

    private static func active(_ state: RunState) -> [Value] {
        guard state.counts.active > 0 else { return [] }
        var list: [Value] = []
        for (index, step) in state.steps.enumerated() where step.visit > 0 && !step.status.isSettled {
            guard step.status != .pending else { continue }
            if list.count == listLimit { return list + [["more": .int(Int64(state.counts.active - listLimit))]] }
            list.append([
                "step": .string(state.definition.plan.steps[index].id), "visit": .int(Int64(step.visit)),
                "attempt": .int(Int64(step.attempt)), "status": .string(step.status.rawValue),
                "since": .string((step.since ?? state.startedAt).description),
            ])
        }
        return list
    }

    private static func waiting(_ state: RunState) -> [Value] {
        let waits = state.waits.values.sorted { ($0.since, $0.key) < ($1.since, $1.key) }
        var list: [Value] = waits.prefix(listLimit).map { wait in
            [
                "key": .string(wait.key), "step": .string(wait.step), "reason": .string(wait.reason.rawValue),
                "since": .string(wait.since.description),
                "until": wait.until.map { .string($0.description) } ?? .null,
            ]
        }
        if waits.count > listLimit { list.append(["more": .int(Int64(waits.count - listLimit))]) }
        return list
    }

    private static func writeUsage(_ state: RunState, to writer: inout JSONWriter) {
        writer.name("usage")
        writer.beginObject()
        writer.member("steps", state.usage.steps)
        writer.member("retries", state.usage.retries)
        writer.member("activeSeconds", Double(state.usage.activeMicroseconds) / 1_000_000)
        writer.member("tokens", 0 as Int)
        writer.member("cost", 0.0 as Double)
        writer.endObject()
    }
}

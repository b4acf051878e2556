package import WaybillCore
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
        writer.name("trigger")
        write(state.trigger, first: ["type", "by"], to: &writer)
        writer.member("labels", state.labels)
        writer.member("session", state.session)
        writer.member("parent", state.parent)
        write(state.inputs, as: "inputs", to: &writer)
        writer.member("goal", state.goal)
        writeProgress(state, to: &writer)
        writeActive(state, to: &writer)
        writeWaiting(state, to: &writer)
        if let outputs = state.outputs, state.phase.isEnded {
            write(outputs, as: "outputs", to: &writer)
        } else {
            writer.member("outputs", Value.null)
        }
        writer.member("error", state.error?.value ?? .null)
        writer.member("compensation", state.compensationReport)
        writer.member(
            "diagnostics",
            [
                "errors": .int(Int64(state.diagnostics.errors)), "warnings": .int(Int64(state.diagnostics.warnings)),
            ] as Value)
        writeUsage(state, to: &writer)
        writer.member("durability", state.durability.rawValue)
        if let quarantine { writer.member("quarantine", quarantine) }
        if !state.control.isEmpty, !state.phase.isEnded {
            var control: Object = ["from": .list(state.control.map(\.value))]
            control["token"] = state.controlToken.map { .string($0.hex) }
            writer.member("control", control)
        }
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

    /// An object's members in the order in which people read them; what is not named comes last.
    private static func write(_ value: Value, first names: [String], to writer: inout JSONWriter) {
        guard let object = value.objectValue else { return writer.value(value) }
        writer.beginObject()
        for name in names { if let member = object[name] { writer.member(name, member) } }
        for (name, member) in object where !names.contains(name) { writer.member(name, member) }
        writer.endObject()
    }

    private static func writeProgress(_ state: RunState, to writer: inout JSONWriter) {
        let counts = state.counts
        writer.name("progress")
        writer.beginObject()
        writer.member("total", counts.total)
        writer.member("completed", counts.completed)
        writer.member("running", counts.running)
        writer.member("waiting", counts.waiting + counts.unknown)
        writer.member("failed", counts.failed)
        writer.member("skipped", counts.skipped)
        writer.endObject()
    }

    private static func writeActive(_ state: RunState, to writer: inout JSONWriter) {
        writer.name("active")
        writer.beginList()
        var count = 0
        for id in state.activeSteps(limit: listLimit) {
            let step = state[id]
            count += 1
            writer.beginObject()
            writer.member("step", state.address(of: id))
            writer.member("visit", step.visit)
            writer.member("attempt", step.attempt)
            writer.member("status", step.status.rawValue)
            writer.member("since", (step.since ?? state.startedAt).description)
            writer.endObject()
        }
        writeRest(state.counts.active - count, to: &writer)
        writer.endList()
    }

    private static func writeWaiting(_ state: RunState, to writer: inout JSONWriter) {
        let waits = state.waits.values.sorted { ($0.since, $0.key) < ($1.since, $1.key) }
        writer.name("waiting")
        writer.beginList()
        for wait in waits.prefix(listLimit) {
            writer.beginObject()
            writer.member("key", wait.key)
            writer.member("step", wait.stepName)
            writer.member("reason", wait.reason.rawValue)
            writer.member("since", wait.since.description)
            writer.member("until", wait.until?.description)
            writer.endObject()
        }
        writeRest(waits.count - min(waits.count, listLimit), to: &writer)
        writer.endList()
    }

    /// How many a list leaves out.
    private static func writeRest(_ count: Int, to writer: inout JSONWriter) {
        guard count > 0 else { return }
        writer.beginObject()
        writer.member("more", count)
        writer.endObject()
    }

    // MARK: - Quarantine

    /// `run.json` of a run whose ledger cannot be trusted. What the file said stays, above all the head it knew: that is
    /// the evidence against the ledger.
    package static func quarantined(_ glance: Value, reason: String) -> [UInt8]? {
        guard var object = glance.objectValue, object["ledger"] != nil else { return nil }
        object["status"] = .string(RunStatus.quarantined.rawValue)
        object["quarantine"] = .string(reason)
        var writer = JSONWriter(style: .pretty)
        write(
            .object(object), first: ["format", "id", "workflow", "definition", "commit", "status", "quarantine"],
            to: &writer)
        return writer.finish()
    }

    private static func writeUsage(_ state: RunState, to writer: inout JSONWriter) {
        writer.name("usage")
        writer.beginObject()
        writer.member("steps", state.usage.steps)
        writer.member("retries", state.usage.retries)
        writer.member("activeSeconds", Double(state.usage.activeMicroseconds) / 1_000_000)
        writer.member("tokens", Int(state.usage.tokens))
        writer.member("cost", state.usage.cost)
        writer.endObject()
    }
}

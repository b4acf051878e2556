import SystemPackage
import WaybillCore
import WaybillPorts
import WaybillRuntime
import WaybillStore

/// A wait as `waits/<key>.json` describes it.
struct OpenWait: Sendable {
    let object: Object

    var run: String { object["run"]?.stringValue ?? "" }
    var key: String { object["key"]?.stringValue ?? "" }
    var prompt: String? { object["prompt"]?.stringValue }
    var token: String? { object["token"]?.stringValue }
    var since: String? { object["since"]?.stringValue }
    var until: String? { object["until"]?.stringValue }
    var reason: String { object["reason"]?.stringValue ?? "" }
    /// The exact command that answers it; nil for what only the clock ends.
    var command: String? { object["command"]?.stringValue }
    /// The sub-run that is waited for.
    var called: RunID? { object["call"]?.stringValue.flatMap(RunID.init) }
    var isQuestion: Bool { command != nil }
    /// The command that sends the event it waits for; its `match` may want more.
    var emit: String? { object["emit"]?.stringValue }
    /// The event it waits for, in words.
    var event: String? {
        guard let event = object["event"], let type = event["type"]?.stringValue else { return nil }
        return type + (event["key"]?.stringValue.map { " with key \($0)" } ?? "")
    }
    /// How many people must still approve; nil where one is enough.
    var missing: Int? { object["missing"]?.intValue.map(Int.init) }
    /// Who may answer; nil where anybody may.
    var from: Object? { object["from"]?.objectValue }
    /// Who answered already, where several must.
    var answeredBy: [String] { (object["answers"]?.listValue ?? []).compactMap { $0["by"]?.stringValue } }
    var isApproval: Bool { command?.hasPrefix("waybill approve ") ?? false }
    var choices: [String]? { object["choices"]?.listValue?.compactMap(\.stringValue) }
    var schema: Value? {
        // Not `nil` through a closure: that would be the JSON value null.
        guard let schema = object["schema"], !schema.isNull else { return nil }
        return schema
    }
}

extension GlanceReader {
    /// How deep sub-runs are followed: deeper than anybody calls.
    private static let deepestCall = 64

    /// The folders of a run and of the sub-runs it waits for, each before those that it calls itself.
    func family(of folder: RunFolder) -> [RunFolder] {
        var found = [folder]
        var seen: Set<RunID> = [folder.run]
        var level = [folder]
        for _ in 0..<Self.deepestCall where !level.isEmpty {
            level = level.flatMap { waits($0) }.compactMap(\.called).filter { seen.insert($0).inserted }
                .compactMap { run in (try? tree.runs.open(run)).flatMap { $0 } }
            found += level
        }
        return found
    }

    private static let waitLimit = 16 << 20

    /// The open waits of a run that waits, oldest first; read from `waits/`, or from the ledger where that is gone.
    func waits(_ folder: RunFolder) -> [OpenWait] {
        let glance = glance(folder)
        guard !glance.isEnded, glance.problem == nil else { return [] }
        var waits: [OpenWait] = []
        for name in (try? folder.names(in: RunFolder.waits)) ?? [] where name.hasSuffix(".json") {
            if let bytes = try? folder.read(RunFolder.waits.appending(name), limit: Self.waitLimit),
                let object = (try? JSON.parse(bytes))?.objectValue, object["key"] != nil
            {
                waits.append(OpenWait(object: object))
            }
        }
        let known = Set(waits.map(\.key))
        if glance.waiting.contains(where: { !known.contains($0["key"]?.stringValue ?? "") }),
            let projections = try? rebuild(folder)
        {
            waits = projections.filter { $0.key.starts(with: RunFolder.waits) }
                .compactMap { (try? JSON.parse($0.value))?.objectValue }.map(OpenWait.init)
        }
        return waits.sorted { ($0.since ?? "", $0.key) < ($1.since ?? "", $1.key) }
    }
}

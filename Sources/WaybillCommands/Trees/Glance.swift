import SystemPackage
import WaybillCore
import WaybillEngine
import WaybillRuntime
import WaybillStore

/// A run as `run.json` shows it. What is not there, or of a kind that is not expected, is simply unknown: a newer
/// version may have written it.
struct Glance: Sendable {
    let run: RunID
    let object: Object
    /// Why `run.json` could not be read nor rebuilt; the run's ledger may still be sound.
    let problem: String?

    init(_ run: RunID, _ object: Object) {
        self.run = run
        self.object = object
        problem = nil
    }

    init(_ run: RunID, problem: String) {
        self.run = run
        self.problem = problem
        object = ["id": .string(run.text), "status": "unreadable", "problem": .string(problem)]
    }

    /// The run that called this one.
    var parent: RunID? { object["parent"]?["run"]?.stringValue.flatMap(RunID.init) }
    var status: String { object["status"]?.stringValue ?? "unreadable" }
    var workflow: String { object["workflow"]?.stringValue ?? "" }
    var startedAt: Timestamp? { object["startedAt"]?.stringValue.flatMap { Timestamp(rfc3339: $0) } }
    var endedAt: Timestamp? { object["endedAt"]?.stringValue.flatMap { Timestamp(rfc3339: $0) } }
    var isEnded: Bool { RunStatus(rawValue: status)?.isEnded ?? false }
    var labels: Object { object["labels"]?.objectValue ?? Object() }
    /// The open waits' members, `more` left out.
    var waiting: [Object] { (object["waiting"]?.listValue ?? []).compactMap(\.objectValue).filter { $0["key"] != nil } }
    var ledgerSeq: Int { Int(object["ledger"]?["seq"]?.intValue ?? 0) }
    /// What a control file must name where that is restricted.
    var controlToken: String? { object["control"]?["token"]?.stringValue }
    var head: String { object["ledger"]?["head"]?.stringValue ?? "" }

    /// Steps that are settled, and all of them.
    var progress: (done: Int, total: Int) {
        let progress = object["progress"]
        let number = { (name: String) in Int(progress?[name]?.intValue ?? 0) }
        return (number("completed") + number("skipped") + number("failed"), number("total"))
    }

    /// `approve (user)`: what the run waits for.
    var waitingFor: String {
        waiting.map { wait in
            let key = wait["key"]?.stringValue ?? "?"
            return wait["reason"]?.stringValue == "user" ? key : "\(key) (\(wait["reason"]?.stringValue ?? "?"))"
        }.joined(separator: ", ")
    }

    /// The error's message, with the step it happened in.
    var errorText: String? {
        guard let error = object["error"]?.objectValue else { return problem }
        let message = error["message"]?.stringValue ?? error["kind"]?.stringValue ?? "failed"
        return error["step"]?.stringValue.map { "\($0): \(message)" } ?? message
    }
}

/// Reads `run.json` of runs, and rebuilds in memory what is missing.
struct GlanceReader {
    static let format: Int64 = 1
    private static let limit = 16 << 20

    let tree: Tree
    private let definitions = DefinitionCache()

    init(_ tree: Tree) { self.tree = tree }

    func glance(_ run: RunID) -> Glance {
        guard let folder = try? tree.runs.open(run) else { return Glance(run, problem: "its folder cannot be opened") }
        return glance(folder)
    }

    func glance(_ folder: RunFolder) -> Glance {
        if let bytes = try? folder.read(RunFolder.glance, limit: Self.limit),
            let object = (try? JSON.parse(bytes))?.objectValue
        {
            let format = object["format"]?.intValue
            if let format, format > Self.format {
                return Glance(
                    folder.run, problem: "run.json has format \(format), and this version reads \(Self.format)")
            }
            if format == Self.format { return Glance(folder.run, object) }
        }
        return rebuilt(folder)
    }

    /// What the ledger says, where the projection is missing or no JSON.
    func rebuilt(_ folder: RunFolder) -> Glance {
        do {
            let projections = try rebuild(folder)
            guard let bytes = projections[RunFolder.glance], let object = try JSON.parse(bytes).objectValue else {
                return Glance(folder.run, problem: "it has no ledger")
            }
            return Glance(folder.run, object)
        } catch {
            return Glance(folder.run, problem: CommandError(any: error)?.message ?? "\(error)")
        }
    }

    /// The small projections (`run.json`, waits, snapshots) as the ledger has them, by path. Nothing is written.
    func rebuild(_ folder: RunFolder) throws -> [FilePath: [UInt8]] {
        let definition = try definitions.definition(of: folder.run, in: tree)
        let rebuild = RunRebuild(
            tree: tree, folder: folder, definition: definition.workflow, genesis: definition.digest)
        var projections: [FilePath: [UInt8]] = [:]
        let report = try rebuild.everything { projection in
            let isSmall =
                !projection.path.starts(with: RunFolder.checkpoints)
                && !projection.path.starts(with: RunFolder.inbox)
            if isSmall { projections[projection.path] = projection.bytes }
        }
        if let fault = report.fault { throw fault }
        if case .damaged(_, let reason) = report.verdict {
            throw CommandError("quarantined", reason.description, hint: "`waybill repair \(folder.run)` says more")
        }
        guard report.state.seq > 0 else { throw CommandError("quarantined", "the ledger has no entry") }
        return projections
    }
}

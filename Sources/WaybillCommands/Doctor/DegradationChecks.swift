import WaybillCore
import WaybillPorts
import WaybillRuntime
import WaybillStore

/// What was set aside so that everything else goes on.
struct DegradationChecks {
    /// No more of one kind are named.
    private static let named = 5
    /// A hook that failed longer ago has been mended, or is not missed.
    private static let recent = Duration.seconds(86_400)

    let tree: Tree

    var all: [Check] { [runs, hooks, reserve].compactMap { $0 } }

    private var runs: Check? {
        let runs = tree.runsSetAside
        guard !runs.isEmpty else { return nil }
        let shown = runs.prefix(Self.named).map { "\($0.run) (\(Text.oneLine($0.reason)))" }.joined(separator: ", ")
        let more = runs.count > Self.named ? " and \(runs.count - Self.named) more" : ""
        return .wrong(
            "aside", "\(Text.count(runs.count, "run")) set aside, so that the others go on: \(shown)\(more)",
            hint: "remove .waybill/aside/<run>.json to have it tried again")
    }

    private var reserve: Check? {
        guard let left = Reserve.left(in: tree.caches), left < Reserve.standardBytes else { return nil }
        return .wrong(
            "reserve",
            "the disk is full: \(left >> 10) KiB of \(Reserve.standardBytes >> 10) KiB are left for the outcomes of what runs",
            hint: "make room; steps are started again by themselves")
    }

    private var hooks: Check? {
        let failures = HookService.recordedFailures(in: tree)
        guard let newest = failures.last else { return nil }
        let now = tree.clock.now()
        let recent = failures.filter { $0.at + Self.recent > now }
        guard !recent.isEmpty else {
            return .note("hooks", "the last failure of a hook was \(Text.span(now - newest.at)) ago")
        }
        let names = Set(recent.map { $0.hook ?? "all" }).sorted().prefix(Self.named).joined(separator: ", ")
        return .wrong(
            "hooks",
            "\(Text.count(recent.count, "event")) not told to hooks in the last day, by \(names): "
                + Text.oneLine(newest.message),
            hint: ".waybill/hooks/failures.json has the newest 100")
    }
}

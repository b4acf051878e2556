import SystemPackage
import WaybillCore
import WaybillEngine
import WaybillManifests
import WaybillPorts
import WaybillRuntime
import WaybillStore

/// How a tree and its runs stand.
struct TreeChecks {
    /// No more of one kind are named.
    private static let named = 5
    /// A deadline that passed so long ago is noticed by nobody.
    private static let overdue = Duration.seconds(60)
    private static let listLimit = 1_000_000

    let tree: Tree

    var all: [Check] {
        [daemon, manifests, keys, journal] + runs + strays + claimed + AccessChecks(tree: tree).all + hooks
            + DegradationChecks(tree: tree).all
    }

    // MARK: - Tree

    private var daemon: Check {
        if tree.hasDaemon { return .fine("daemon", "one works on this tree") }
        return .note(
            "daemon", "none works on this tree", hint: "`waybill daemon`, or `waybill reconcile` from a crontab line")
    }

    private var manifests: Check {
        guard let catalog = try? SourceTree(root: tree.root).catalog else {
            return .wrong("manifests", "workflows/ cannot be read")
        }
        let errors = catalog.diagnostics.count { $0.level == .error }
        guard errors == 0 else {
            return .wrong("manifests", Text.count(errors, "error"), hint: "`waybill validate` lists them")
        }
        return .fine("manifests", ValidateCommand.summary(catalog))
    }

    private var keys: Check {
        guard let settings = (try? SourceTree(root: tree.root))?.catalog.settings else {
            return .note("keys", "the settings cannot be read")
        }
        let files = KeyFiles(root: tree.layout.root, fileSystem: tree.fileSystem)
        do throws(RuntimeError) {
            let signing = try settings.signingKey.map { (path) throws(RuntimeError) in try files.signingKey(path) }
            let trusted = try files.trusted(by: settings)
            guard let signing else {
                return .note(
                    "keys", "history is not signed",
                    hint: "`waybill keys generate`, and `keys: {sign: ...}` in Settings")
            }
            return .fine(
                "keys", "signs with \(signing.publicKey.fingerprint), trusts \(Text.count(trusted.count, "key"))")
        } catch {
            return .wrong("keys", error.message)
        }
    }

    private var journal: Check {
        do throws(StoreError) {
            let report = try JournalVerification(tree: tree).report().report
            if let first = report.errors.first {
                return .wrong("journal", first.text, hint: "`waybill verify` says more")
            }
            return .fine("journal", Text.count(report.count, "entry", "entries"))
        } catch {
            return .wrong("journal", error.message)
        }
    }

    // MARK: - Runs

    private var runs: [Check] {
        guard let ids = try? tree.runIDs() else { return [.wrong("runs", "runs/ cannot be read")] }
        var found: [String: [String]] = [:]
        var counts: [String: Int] = [:]
        let reader = GlanceReader(tree)
        let now = tree.clock.now()
        let hasDaemon = tree.hasDaemon
        let journal = JournalKnowledge(index: (try? tree.journal.index(following: true)) ?? JournalIndex())
        for id in ids {
            guard let folder = try? tree.runs.open(id) else { continue }
            let glance = reader.glance(folder)
            counts[glance.status, default: 0] += 1
            if glance.problem != nil { found["unreadable", default: []].append(id.text) }
            if glance.status == RunStatus.quarantined.rawValue { found["quarantined", default: []].append(id.text) }
            if isStalled(glance, folder, now, hasDaemon) { found["stalled", default: []].append(id.text) }
            if !isSound(folder, journal) { found["unverifiable", default: []].append(id.text) }
            let names = (try? folder.names(in: FilePath())) ?? []
            if names.contains(where: { $0.hasPrefix("ledger.torn.") }) { found["torn", default: []].append(id.text) }
        }
        let summary = counts.sorted { $0.key < $1.key }.map { "\($0.value) \($0.key)" }.joined(separator: ", ")
        var checks: [Check] = [.fine("runs", ids.isEmpty ? "none" : summary)]
        let kinds: [(String, Check.Level, String, String)] = [
            ("unreadable", .wrong, "cannot be read", "`waybill verify <run>` says why"),
            ("unverifiable", .wrong, "with a history that does not verify", "`waybill verify <run>` names the entry"),
            (
                "quarantined", .wrong, "set aside, as the ledger cannot be trusted",
                "`waybill repair <run>` says why, and what can be done"
            ),
            ("stalled", .wrong, "with work that nobody does", "start `waybill daemon`, or call `waybill reconcile`"),
            ("torn", .note, "lost the unacknowledged end of a write, kept as ledger.torn.<n>", "nothing to do"),
        ]
        for (kind, level, what, hint) in kinds {
            guard let names = found[kind] else { continue }
            let shown = names.prefix(Self.named).joined(separator: ", ")
            let more = names.count > Self.named ? " and \(names.count - Self.named) more" : ""
            checks.append(
                Check(
                    name: kind, level: level, message: "\(Text.count(names.count, "run")) \(what): \(shown)\(more)",
                    hint: hint))
        }
        return checks
    }

    private func isSound(_ folder: RunFolder, _ journal: JournalKnowledge) -> Bool {
        let verification = RunVerification(tree: tree, folder: folder, journal: journal)
        return (try? verification.report(deep: false).isOK) ?? false
    }

    private func isStalled(_ glance: Glance, _ folder: RunFolder, _ now: Timestamp, _ hasDaemon: Bool) -> Bool {
        guard !hasDaemon, glance.problem == nil else { return false }
        if glance.status == RunStatus.waiting.rawValue {
            return glance.waiting.contains { wait in
                let until = wait["until"]?.stringValue.flatMap { Timestamp(rfc3339: $0) }
                return until.map { $0 + Self.overdue < now } ?? false
            }
        }
        guard [RunStatus.running.rawValue, RunStatus.pending.rawValue].contains(glance.status) else { return false }
        // Somebody who works on it holds its ledger.
        guard let ledger = try? folder.directory.open(RunFolder.ledger, .readWrite) else { return true }
        defer { ledger.close() }
        return (try? ledger.lock()) != nil
    }

    // MARK: - Files

    /// What lies in `runs/` and is none of Waybill's.
    private var strays: [Check] {
        guard let entries = try? tree.runsDirectory.entries(FilePath(), limit: Self.listLimit) else { return [] }
        let strays = entries.filter { entry in
            let name = entry.name.string
            if name.hasPrefix(".") || name == "inbox" || name == "README.md" { return false }
            if name.hasPrefix("journal"), name.hasSuffix(".jsonl") { return false }
            return entry.kind != .directory || RunID(name) == nil
        }.map { Text.oneLine($0.name.string) }.sorted()
        guard !strays.isEmpty else { return [] }
        let shown = strays.prefix(Self.named).joined(separator: ", ")
        return [.note("strays", "\(Text.count(strays.count, "thing")) in runs/ that is no run: \(shown)")]
    }

    private var claimed: [Check] {
        guard !tree.hasDaemon, let entries = try? tree.runsDirectory.entries("inbox/.claimed", limit: Self.listLimit),
            !entries.isEmpty
        else { return [] }
        return [
            .note(
                "inbox", "\(Text.count(entries.count, "file")) in runs/inbox/.claimed were taken in and not settled",
                hint: "the next `waybill reconcile` settles them")
        ]
    }

    private var hooks: [Check] {
        guard let entries = try? tree.root.entries("hooks", limit: Self.listLimit) else { return [] }
        let dead = entries.compactMap { entry -> String? in
            let name = entry.name.string
            guard entry.kind == .file, !name.hasPrefix("."), !name.hasSuffix(".md"),
                let status = try? tree.root.status(FilePath("hooks").appending(entry.name)),
                status.permissions & 0o111 == 0
            else { return nil }
            return Text.oneLine(name)
        }.sorted()
        guard !dead.isEmpty else { return [] }
        let shown = dead.prefix(Self.named).joined(separator: ", ")
        return [.wrong("hooks", "not executable, so never called: \(shown)", hint: "chmod +x hooks/<name>")]
    }
}

import Glibc
import Synchronization
import SystemPackage
import WaybillCore
import WaybillPorts

/// An executable that wants to hear of events.
struct Hook: Sendable, Hashable {
    /// Its path within `hooks/`: `run.error`, `run.error.d/10-mail`.
    let name: String
    /// The event it is named after, or `any`.
    let event: String
    /// When it last changed, as the kernel says.
    let changed: Timestamp
}

/// The hooks of a tree at one moment.
struct HookSet: Sendable {
    static let any = "any"
    private let byEvent: [String: [Hook]]
    private let names: Set<String>
    /// In the order in which they are called.
    let all: [Hook]
    /// When the one that is longest there last changed.
    let earliest: Timestamp?

    init(_ hooks: [Hook] = []) {
        byEvent = Dictionary(grouping: hooks, by: \.event)
        all = hooks
        names = Set(hooks.map(\.name))
        earliest = hooks.map(\.changed).min()
    }

    var isEmpty: Bool { names.isEmpty }
    func contains(_ name: String) -> Bool { names.contains(name) }
    func serves(_ event: String) -> Bool { byEvent[event] != nil || byEvent[Self.any] != nil }
    /// Those for an event: its own, those of its folder by name, then those for any event.
    func matching(_ event: String) -> [Hook] { (byEvent[event] ?? []) + (byEvent[Self.any] ?? []) }
}

/// Knows which hooks there are, at the price of a few `stat` calls: the folder is listed again only when it, or
/// something in it that may be a hook, has changed.
final class HookCatalog: Sendable {
    private struct Stamp {
        let path: FilePath
        let status: FileStatus?
    }

    /// What was read, and what would look different if it were no longer true.
    private final class Snapshot: Sendable {
        let hooks: HookSet
        let stamps: [Stamp]

        init(_ hooks: HookSet, stamps: [Stamp]) {
            self.hooks = hooks
            self.stamps = stamps
        }
    }

    private static let folder: FilePath = "hooks"
    /// More names than a person would put there.
    private static let limit = 10_000
    /// A folder that changed so recently may change again without its time showing it.
    private static let settling = Duration.seconds(1)

    private let root: any Directory
    private let absolute: FilePath
    /// Without a lock, because every lane looks at each decision: with one, 64 of them that sync each step spend a quarter of
    /// two processors waiting for each other.
    private let newest = Atomic<Unmanaged<Snapshot>?>(nil)
    /// All that were ever the newest, as whoever has loaded one may not have taken hold of it yet: one for each change of
    /// `hooks/`. Held locked by whoever reads the folder.
    private let snapshots = Mutex<[Snapshot]>([])

    init(root: any Directory, hooks: FilePath) {
        self.root = root
        absolute = hooks
    }

    func path(of hook: String) -> FilePath { absolute.pushing(FilePath(hook)) }

    /// The hooks as they are now. A folder that cannot be read has none.
    func current() -> HookSet {
        if let known = known() { return known }
        return snapshots.withLock { snapshots in
            if let known = known() { return known }
            var reading = Reading(catalog: self)
            reading.read()
            let hooks = HookSet(reading.hooks)
            // The kernel's own times are compared with the kernel's own clock.
            let settled = SystemClock().now() - Self.settling
            if reading.stamps.allSatisfy({ ($0.status?.changed ?? .earliest) < settled }) {
                let snapshot = Snapshot(hooks, stamps: reading.stamps)
                snapshots.append(snapshot)
                newest.store(Unmanaged.passUnretained(snapshot), ordering: .releasing)
            }
            return hooks
        }
    }

    /// What was read last, if nothing has changed since.
    private func known() -> HookSet? {
        guard let snapshot = newest.load(ordering: .acquiring)?.takeUnretainedValue(),
            snapshot.stamps.allSatisfy({ status($0.path) == $0.status })
        else { return nil }
        return snapshot.hooks
    }

    private func status(_ path: FilePath) -> FileStatus? { (try? root.status(path)) ?? nil }

    /// One pass over the folder.
    private struct Reading {
        let catalog: HookCatalog
        var hooks: [Hook] = []
        var stamps: [Stamp] = []

        mutating func read() {
            for name in names(in: HookCatalog.folder) {
                let isFolder = name.hasSuffix(".d")
                let event = isFolder ? String(name.dropLast(2)) : name
                guard event == HookSet.any || TraceEvent.names.contains(event) else { continue }
                if isFolder {
                    readFolder(name, event)
                } else {
                    add(name, event)
                }
            }
        }

        private mutating func readFolder(_ folder: String, _ event: String) {
            for name in names(in: HookCatalog.folder.appending(folder))
            where !name.hasPrefix(".") && !name.hasSuffix(".sample") && !name.hasSuffix("~") {
                add("\(folder)/\(name)", event)
            }
        }

        /// Sorted; `run.ok` comes before `run.ok.d`.
        private mutating func names(in folder: FilePath) -> [String] {
            let status = stamp(folder)
            guard status?.kind == .directory,
                let entries = try? catalog.root.entries(folder, limit: HookCatalog.limit)
            else { return [] }
            return entries.map(\.name.string).sorted { $0.precedesInCodePoints($1) }
        }

        private mutating func add(_ name: String, _ event: String) {
            let path = HookCatalog.folder.pushing(FilePath(name))
            guard var status = stamp(path) else { return }
            var changed = status.changed
            if status.kind == .link {
                guard let target = catalog.target(of: name), let there = stamp(HookCatalog.folder.pushing(target))
                else { return }
                status = there
                changed = max(changed, there.changed)
            }
            guard status.kind == .file, status.permissions & 0o111 != 0 else { return }
            hooks.append(Hook(name: name, event: event, changed: changed))
        }

        private mutating func stamp(_ path: FilePath) -> FileStatus? {
            let status = catalog.status(path)
            stamps.append(Stamp(path: path, status: status))
            return status
        }
    }

    /// Where a link leads, within `hooks/`; nil if it leaves it. One script may serve several events that way.
    private func target(of name: String) -> FilePath? {
        guard let home = Self.resolve(absolute), var target = Self.resolve(path(of: name)),
            target != home, target.removePrefix(home)
        else { return nil }
        return target
    }

    private static func resolve(_ path: FilePath) -> FilePath? {
        guard let resolved = realpath(path.string, nil) else { return nil }
        defer { free(resolved) }
        return FilePath(platformString: resolved)
    }
}

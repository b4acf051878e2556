internal import SystemPackage
internal import WaybillCore
internal import WaybillPorts

/// What a `MemoryFileSystem` guards: nodes, names, and the changes of names that no sync has covered yet.
struct MemoryVolume {
    static let rootNode = 1
    var root: Int { Self.rootNode }

    var nodes: [Int: MemoryNode] = [:]
    var now = Timestamp(microseconds: 1_800_000_000_000_000)
    var plan: MemoryFileSystem.Plan?
    var operationCount = 0
    /// Goes up at every crash; handles of an earlier life are closed.
    var lifetime = 0
    private var isHalted = false
    private var nextNode = 2
    private var nextHandle = 1
    private var pending: [NameChange] = []

    /// A change of one name, or of two at once as a rename makes it: it survives a crash whole or not at all.
    private struct NameChange {
        var sets: [(folder: Int, name: FilePath.Component, node: Int?)]
    }

    init() {
        nodes[Self.rootNode] = MemoryNode(kind: .directory, permissions: 0o755, now: now)
    }

    // MARK: The one point that every operation passes

    /// How many bytes may move at most, where the plan has a say in it.
    @discardableResult
    mutating func step(_ kind: MemoryFileSystem.Operation.Kind, _ path: FilePath) throws(FileSystemError) -> Int {
        operationCount += 1
        if isHalted { throw FileSystemError(.closed, kind.rawValue, path) }
        switch plan?(MemoryFileSystem.Operation(kind: kind, path: path, number: operationCount)) {
        case nil: return .max
        case .short(let count): return count
        case .fail(let code): throw FileSystemError(code, kind.rawValue, path)
        case .halt:
            isHalted = true
            throw FileSystemError(.closed, kind.rawValue, path)
        }
    }

    func check(_ lifetime: Int?, _ path: FilePath) throws(FileSystemError) {
        if let lifetime, lifetime != self.lifetime { throw FileSystemError(.closed, "use", path) }
    }

    mutating func makeHandle() -> Int {
        defer { nextHandle += 1 }
        return nextHandle
    }

    // MARK: Names

    /// The node at the end of a path, a link itself; nil if anything on the way is missing.
    func find(
        _ components: FilePath.ComponentView, from start: Int, _ operation: String, _ path: FilePath
    ) throws(FileSystemError) -> Int? {
        var node = start
        for component in components {
            if component.kind == .currentDirectory { continue }
            guard component.kind == .regular else { throw FileSystemError(.escapes, operation, path) }
            switch nodes[node]?.kind {
            case .directory: break
            case .link: throw FileSystemError(.isLink, operation, path)
            default: throw FileSystemError(.wrongKind, operation, path)
            }
            guard let next = nodes[node]?.entries[component] else { return nil }
            node = next
        }
        return node
    }

    /// As `find`, but it must be a folder that exists.
    func folder(
        _ components: FilePath.ComponentView, from start: Int, _ operation: String, _ path: FilePath
    ) throws(FileSystemError) -> Int {
        guard let node = try find(components, from: start, operation, path) else {
            throw FileSystemError(.notFound, operation, path)
        }
        switch nodes[node]?.kind {
        case .directory: return node
        case .link: throw FileSystemError(.isLink, operation, path)
        default: throw FileSystemError(.wrongKind, operation, path)
        }
    }

    mutating func makeNode(_ kind: FileKind, permissions: UInt16) -> Int {
        defer { nextNode += 1 }
        nodes[nextNode] = MemoryNode(kind: kind, permissions: permissions, now: now)
        return nextNode
    }

    mutating func link(_ node: Int, as name: FilePath.Component, in folder: Int) {
        set([(folder, name, node)])
    }

    mutating func unlink(_ name: FilePath.Component, in folder: Int) {
        set([(folder, name, nil)])
    }

    mutating func move(_ name: FilePath.Component, in folder: Int, to newName: FilePath.Component, in newFolder: Int) {
        let node = nodes[folder]?.entries[name]
        set([(folder, name, nil), (newFolder, newName, node)])
    }

    private mutating func set(_ sets: [(folder: Int, name: FilePath.Component, node: Int?)]) {
        for (folder, name, node) in sets {
            if let old = nodes[folder]?.entries.removeValue(forKey: name) {
                nodes[old]?.linkCount -= 1
                nodes[old]?.changed = now
            }
            if let node {
                nodes[folder]?.entries[name] = node
                nodes[node]?.linkCount += 1
                nodes[node]?.changed = now
            }
            nodes[folder]?.modified = now
            nodes[folder]?.changed = now
        }
        pending.append(NameChange(sets: sets))
    }

    /// Makes the changes of names durable that touch a folder, in order, and with them earlier changes of the
    /// same names elsewhere: no file system forgets the first of two changes of a name and keeps the second.
    mutating func synchronize(folder: Int) {
        var names: Set<Name> = []
        var isNeeded = [Bool](repeating: false, count: pending.count)
        for index in pending.indices.reversed() {
            let touched = pending[index].sets.map { Name(folder: $0.folder, name: $0.name) }
            if touched.contains(where: { $0.folder == folder || names.contains($0) }) {
                isNeeded[index] = true
                names.formUnion(touched)
            }
        }
        var rest: [NameChange] = []
        for (change, isNeeded) in zip(pending, isNeeded) {
            if isNeeded { applyDurably(change) } else { rest.append(change) }
        }
        pending = rest
        collect()
    }

    private struct Name: Hashable {
        var folder: Int
        var name: FilePath.Component
    }

    private mutating func applyDurably(_ change: NameChange) {
        for (folder, name, node) in change.sets { nodes[folder]?.durableEntries[name] = node }
    }

    /// Forgets files that have no name, neither visible nor durable nor possible after a crash. Handles that
    /// are still open on one then read nothing, which only a test that removes open files could see.
    private mutating func collect() {
        guard pending.isEmpty, nodes.count > 64 else { return }
        var reachable: Set<Int> = []
        var unvisited = [root]
        while let node = unvisited.popLast() {
            guard reachable.insert(node).inserted, let entries = nodes[node] else { continue }
            unvisited += entries.entries.values
            unvisited += entries.durableEntries.values
        }
        nodes = nodes.filter { reachable.contains($0.key) || $0.value.lockHolder != nil }
    }

    // MARK: Power loss

    mutating func crash(_ choose: (MemoryFileSystem.Unsynced) -> MemoryFileSystem.Survival) {
        for change in pending {
            guard let name = change.sets.last?.name else { continue }
            if case .lost = choose(.name(name)) { continue }
            applyDurably(change)
        }
        pending = []
        for id in nodes.keys.sorted() {
            guard var node = nodes[id] else { continue }
            if node.isContentSynced {
                node.crash(.kept)
            } else {
                let lengths = node.lengths
                node.crash(choose(.content(synced: lengths.synced, live: lengths.live)))
            }
            node.entries = node.durableEntries
            node.linkCount = 0
            nodes[id] = node
        }
        for folder in nodes.values {
            for node in folder.entries.values { nodes[node]?.linkCount += 1 }
        }
        lifetime += 1
        isHalted = false
        plan = nil
    }
}

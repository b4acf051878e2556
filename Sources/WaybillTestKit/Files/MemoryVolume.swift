package import SystemPackage
package import WaybillCore
internal import WaybillPorts

/// What a `MemoryDisk` guards: nodes, names, and the changes of names that no sync has covered yet.
///
/// It is a value: a copy is the disk as it was at that moment, and costs little until one of the two changes.
package struct MemoryVolume: Sendable {
    static let rootNode = 1
    var root: Int { Self.rootNode }

    var nodes: [Int: MemoryNode] = [:]
    package var now = Timestamp(microseconds: 1_800_000_000_000_000)
    package var plan: MemoryFileSystem.Plan?
    package internal(set) var operationCount = 0
    /// Sees the disk as it is before every operation that is counted.
    package var recorder: MemoryFileSystem.Recorder?
    /// What was made durable for good, file by file; nil where nobody wants to know.
    package var promises: MemoryPromises?
    /// What watchers would be told; nil where nobody is.
    package var changes: [MemoryChange]?
    /// Processes that were killed.
    package internal(set) var dead: Set<Int> = []
    /// Locks and marks of presence by handle: whose they are, and of which file.
    private var held: [Int: (node: Int, process: Int)] = [:]
    /// Goes up with every change that processes see.
    package internal(set) var mutationCount = 0
    /// Goes up at every crash; handles of an earlier life are closed.
    var lifetime = 0
    private var isHalted = false
    private var nextNode = 2
    private var nextHandle = 1
    private var pending: [NameChange] = []

    /// A change of one name, or of two at once as a rename makes it: it survives a crash whole or not at all.
    private struct NameChange: Sendable {
        var sets: [(folder: Int, name: MemoryName, node: Int?)]
    }

    init() {
        nodes[Self.rootNode] = MemoryNode(kind: .directory, permissions: 0o755, now: now)
    }

    // MARK: The one point that every operation passes

    /// How many bytes may move at most, where the plan has a say in it.
    @discardableResult
    mutating func step(
        _ kind: MemoryFileSystem.Operation.Kind, _ path: @escaping @Sendable () -> FilePath, _ process: Int
    ) throws(FileSystemError) -> Int {
        operationCount += 1
        let operation = MemoryFileSystem.Operation(kind: kind, location: path, number: operationCount, process: process)
        recorder?(self, operation, false)
        if isHalted { throw FileSystemError(.closed, kind.rawValue, path()) }
        switch plan?(operation) {
        case nil: return .max
        case .short(let count): return count
        case .fail(let code): throw FileSystemError(code, kind.rawValue, path())
        case .kill:
            kill(process)
            throw FileSystemError(.closed, kind.rawValue, path())
        case .halt:
            isHalted = true
            throw FileSystemError(.closed, kind.rawValue, path())
        }
    }

    func check(
        _ lifetime: Int?, _ process: Int, _ path: @autoclosure () -> FilePath
    ) throws(FileSystemError) {
        if let lifetime, lifetime != self.lifetime { throw FileSystemError(.closed, "use", path()) }
        if dead.contains(process) { throw FileSystemError(.closed, "use", path()) }
    }

    mutating func makeHandle(_ process: Int) -> Int {
        defer { nextHandle += 1 }
        return nextHandle
    }

    /// Lets the recorder see a write that was cut in the middle.
    func recordTorn(
        _ bytes: UnsafeRawBufferPointer, at offset: Int, of node: Int, _ path: @escaping @Sendable () -> FilePath,
        _ process: Int
    ) {
        guard let recorder, bytes.count > 1 else { return }
        var copy = self
        // Where it is cut follows from how long it is: any place, and always the same one.
        let length = 1 + bytes.count * 7 % (bytes.count - 1)
        copy.nodes[node]?.write(UnsafeRawBufferPointer(rebasing: bytes[..<length]), at: offset, now: now)
        let operation = MemoryFileSystem.Operation(
            kind: .write, location: path, number: operationCount, process: process)
        recorder(copy, operation, true)
    }

    // MARK: Processes

    mutating func hold(_ handle: Int, of node: Int, process: Int) {
        nodes[node]?.lockHolder = handle
        held[handle] = (node, process)
    }

    mutating func attend(_ handle: Int, of node: Int, process: Int) {
        _ = nodes[node]?.presences.insert(handle)
        held[handle] = (node, process)
    }

    mutating func unlock(_ handle: Int, of node: Int) {
        if nodes[node]?.lockHolder == handle { nodes[node]?.lockHolder = nil }
    }

    /// A handle was closed: its lock and its mark go.
    mutating func release(_ handle: Int, of node: Int) {
        guard held.removeValue(forKey: handle) != nil else { return }
        unlock(handle, of: node)
        nodes[node]?.presences.remove(handle)
    }

    package mutating func kill(_ process: Int) {
        dead.insert(process)
        for (handle, holding) in held where holding.process == process { release(handle, of: holding.node) }
    }

    /// All processes are killed, and the disk stays as they saw it.
    package mutating func killAll() {
        for (handle, holding) in held { release(handle, of: holding.node) }
        lifetime += 1
        dead = []
        forgetObservers()
    }

    /// The same disk without anybody who looks on.
    package var unobserved: MemoryVolume {
        var copy = self
        copy.forgetObservers()
        return copy
    }

    /// How many changes of names and files a power loss could undo.
    package var unsyncedCount: Int { pending.count + nodes.values.count { !$0.isContentSynced } }

    private mutating func forgetObservers() {
        isHalted = false
        plan = nil
        recorder = nil
    }

    // MARK: Observing

    mutating func synchronize(file node: Int) {
        nodes[node]?.synchronize()
        guard promises != nil, let content = nodes[node]?.durableIfAll else { return }
        let places = places(of: node)
        promises?.keep(content, places)
    }

    /// Where a node and the folders around it are by now, from the root.
    private func places(of node: Int) -> [(folder: Int, name: MemoryName)] {
        var places: [(folder: Int, name: MemoryName)] = []
        var node = node
        while let place = nodes[node]?.place {
            places.append(place)
            node = place.folder
        }
        return places.reversed()
    }

    mutating func note(
        _ kind: WatchEvent.Kind, _ name: MemoryName, in folder: Int, isDirectory: Bool = false
    ) {
        changes?.append(MemoryChange(folder: folder, kind: kind, name: name, isDirectory: isDirectory))
    }

    mutating func noteClosed(_ node: Int) {
        guard changes != nil, let place = nodes[node]?.place else { return }
        note(.closedAfterWrite, place.name, in: place.folder)
    }

    /// The folder that a watch on this path is on; nil if there is none.
    package func folder(at path: FilePath) -> Int? {
        guard let node = try? find(MemoryPath(path).names, from: root, "watch", path), nodes[node]?.kind == .directory
        else {
            return nil
        }
        return node
    }

    // MARK: Names

    /// The node at the end of a path, a link itself; nil if anything on the way is missing.
    func find(
        _ names: some Sequence<MemoryName>, from start: Int, _ operation: String,
        _ path: @autoclosure () -> FilePath
    ) throws(FileSystemError) -> Int? {
        var node = start
        for name in names {
            switch nodes[node]?.kind {
            case .directory: break
            case .link: throw FileSystemError(.isLink, operation, path())
            default: throw FileSystemError(.wrongKind, operation, path())
            }
            guard let next = nodes[node]?.entries[name] else { return nil }
            node = next
        }
        return node
    }

    /// As `find`, but it must be a folder that exists.
    func folder(
        _ names: some Sequence<MemoryName>, from start: Int, _ operation: String,
        _ path: @autoclosure () -> FilePath
    ) throws(FileSystemError) -> Int {
        guard let node = try find(names, from: start, operation, path()) else {
            throw FileSystemError(.notFound, operation, path())
        }
        switch nodes[node]?.kind {
        case .directory: return node
        case .link: throw FileSystemError(.isLink, operation, path())
        default: throw FileSystemError(.wrongKind, operation, path())
        }
    }

    mutating func makeNode(_ kind: FileKind, permissions: UInt16) -> Int {
        defer { nextNode += 1 }
        nodes[nextNode] = MemoryNode(kind: kind, permissions: permissions, now: now)
        return nextNode
    }

    mutating func link(_ node: Int, as name: MemoryName, in folder: Int) {
        set([(folder, name, node)])
    }

    mutating func unlink(_ name: MemoryName, in folder: Int) {
        set([(folder, name, nil)])
    }

    mutating func move(_ name: MemoryName, in folder: Int, to newName: MemoryName, in newFolder: Int) {
        let node = nodes[folder]?.entries[name]
        set([(folder, name, nil), (newFolder, newName, node)])
    }

    private mutating func set(_ sets: [(folder: Int, name: MemoryName, node: Int?)]) {
        mutationCount += 1
        for (folder, name, node) in sets {
            if let old = nodes[folder]?.entries.removeValue(forKey: name) {
                nodes[old]?.linkCount -= 1
                nodes[old]?.changed = now
            }
            if let node {
                nodes[folder]?.entries[name] = node
                nodes[node]?.place = (folder, name)
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
        let present = nodes[folder]?.durableEntries ?? [:]
        promises?.keep(folder: folder, present)
        collect()
    }

    private struct Name: Hashable {
        var folder: Int
        var name: MemoryName
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

    package mutating func crash(_ choose: (MemoryFileSystem.Unsynced) -> MemoryFileSystem.Survival) {
        // Of two changes of one name the first is not lost where the second one is kept: see `synchronize`.
        var lost: Set<Name> = []
        for change in pending {
            guard let name = change.sets.last?.name else { continue }
            let touched = change.sets.map { Name(folder: $0.folder, name: $0.name) }
            let isLost: Bool
            if touched.contains(where: { lost.contains($0) }) {
                isLost = true
            } else if case .lost = choose(.name(name.text)) {
                isLost = true
            } else {
                isLost = false
            }
            if isLost { lost.formUnion(touched) } else { applyDurably(change) }
        }
        pending = []
        held = [:]
        dead = []
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
        forgetObservers()
    }
}

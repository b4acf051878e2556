import SystemPackage
import WaybillCore
import WaybillPorts
import WaybillRuntime
import WaybillStore
import WaybillTestKit

/// What people have done and have still to do. A value, as all that is outside.
struct People: Sendable {
    /// What they planned, the next one first.
    var plan: ArraySlice<PlannedAct>
    var beganAt: Timestamp
    /// Files that were dropped whole, in order.
    var drops: [Drop] = []
    /// Names that were half written: path, and what is missing.
    var halves: [String: Half] = [:]
    /// Runs that a command was told are started.
    var started: Set<String> = []
    /// Number of files made so far: each has a name of its own.
    var files = 0
    /// How often the helpful ones answered the same question, by the run and the wait's key.
    var helped: [String: Int] = [:]

    var nextAt: Timestamp? { plan.first.map { beganAt + $0.after } }

    mutating func nextFile() -> Int {
        files += 1
        return files
    }
}

/// A file that somebody dropped.
struct Drop: Sendable {
    var name: String
    /// Nil for events and start requests.
    var run: String?
    var key: String
    var bytes: [UInt8]
    /// Whether the one who dropped it made sure of it.
    var isSynced: Bool
}

struct Half: Sendable {
    var folder: FilePath
    var rest: [UInt8]
    var drop: Drop
}

extension World {
    /// Does what people planned for this moment.
    func act() {
        guard let next = outside.people.plan.popFirst() else { return }
        perform(next.act)
    }

    func perform(_ act: Act) {
        switch act {
        case .request(let workflow, let run, let inputs):
            let id = run.map { #","id":"\#($0)""# } ?? ""
            let text = #"{"workflow":"\#(workflow)","inputs":\#(inputs)\#(id)}"#
            drop(text, "start-\(outside.people.nextFile()).json", run: nil, key: "", into: .common, ending: "json")
        case .command(let workflow, let run): command(workflow, run)
        case .answer(let run, let key, let text, let way):
            let ending = text.hasPrefix("{") || key.hasPrefix("@") ? "json" : "txt"
            let name = "\(key)--u\(outside.people.nextFile()).\(ending)"
            drop(text, name, run: run, key: key, into: way, ending: ending)
        case .event(let id, let type, let key, let n):
            let key = key.map { #","key":"\#($0)""# } ?? ""
            let text = #"""
                {"specversion":"1.0","id":"\#(id)","source":"/people","type":"\#(type)"\#(key),"data":{"n":\#(n)}}
                """#
            drop(text, "event-\(outside.people.nextFile()).json", run: nil, key: id, into: .common, ending: "json")
        case .complete(let path): complete(path)
        }
    }

    private func drop(_ text: String, _ name: String, run: String?, key: String, into way: Way, ending: String) {
        var name = name
        let own = run.map { World.root.appending("runs").appending($0).appending("inbox") }
        let isOwnThere = own.map { ((try? hands.openDirectory($0)) ?? nil) != nil } ?? false
        let isCommon = way == .common || !isOwnThere
        if isCommon, let run { name = "\(run).\(name)" }
        let folder = isCommon ? World.root.appending("runs/inbox") : own ?? World.root
        // The power may take a run's folder back whose name was not synced yet, with all that somebody put into it.
        let isSynced = way == .synced && (isCommon || run.map(isPromised) ?? true)
        let drop = Drop(name: name, run: run, key: key, bytes: Array(text.utf8), isSynced: isSynced)
        guard let inbox = (try? hands.openDirectory(folder)) ?? nil else { return }
        if way == .halves, drop.bytes.count > 1 {
            let middle = drop.bytes.count / 2
            try? inbox.write(Array(drop.bytes[..<middle]), toNew: FilePath(name), durability: .relaxed)
            outside.people.halves[name] = Half(folder: folder, rest: Array(drop.bytes[middle...]), drop: drop)
            let now = outside.now - outside.people.beganAt + .milliseconds(300)
            let position = outside.people.plan.firstIndex { $0.after > now } ?? outside.people.plan.endIndex
            outside.people.plan.insert(PlannedAct(after: now, act: .complete(name)), at: position)
            return
        }
        let aside = FilePath(".\(name).tmp")
        let durability: WaybillPorts.Durability = way == .synced ? .full : .relaxed
        try? inbox.write(drop.bytes, toNew: aside, durability: durability)
        try? inbox.rename(aside, to: FilePath(name))
        if way == .synced { try? inbox.synchronize() }
        outside.people.drops.append(drop)
    }

    private func isPromised(_ run: String) -> Bool {
        disk.withVolume { volume in
            volume.promises?.names.values.contains { $0.contains(MemoryName(run)) } ?? false
        }
    }

    /// The second half, unless the first one was taken or lost meanwhile.
    private func complete(_ name: String) {
        guard let half = outside.people.halves.removeValue(forKey: name),
            let inbox = (try? hands.openDirectory(half.folder)) ?? nil,
            let file = (try? inbox.open(FilePath(name), .readWrite)) ?? nil
        else { return }
        try? file.writeFully(half.rest, at: Int64(half.drop.bytes.count - half.rest.count))
        file.close()
        outside.people.drops.append(half.drop)
    }

    /// `waybill run`, a process of its own that says when the run is started.
    private func command(_ workflow: String, _ run: String) {
        let number = outside.nextProcess()
        let fileSystem = MemoryFileSystem(disk, process: number, mark: String(number))
        do throws(RuntimeError) {
            let tree = try tree(fileSystem)
            let starter = RunStarter(tree: tree, sources: try SourceTree(root: tree.root))
            let started = try starter.start(StartRequest(workflow: workflow, id: run), random: UInt64(number))
            outside.people.started.insert(started.run.text)
        } catch {
            // It said why, and promised nothing; people drop a request instead.
            if fileSystem.isAlive { perform(.request(workflow: workflow, run: run, inputs: "{}")) }
        }
        fileSystem.kill()
    }

    // MARK: - Helping

    /// Answers what nobody has planned to answer, so that everything can come to its end.
    ///
    /// - Returns: whether anything was done.
    func help() -> Bool {
        guard let runs = (try? hands.openDirectory(World.root.appending("runs"))) ?? nil else { return false }
        var hasHelped = false
        for run in runNames(in: runs) {
            guard let glance = json("\(run)/run.json", in: runs), glance["endedAt"]?.stringValue == nil else {
                continue
            }
            if glance["status"] == "paused", mayHelp(run, "@resume") {
                perform(.answer(run: run, key: "@resume", text: "{}", .moved))
                hasHelped = true
            }
            for name in (try? runs.entries(FilePath("\(run)/waits"), limit: 1_000)) ?? [] {
                let key = name.name.stem
                guard name.name.extension == "json", let wait = json("\(run)/waits/\(name.name.string)", in: runs)
                else { continue }
                if help(run, key, wait) { hasHelped = true }
            }
        }
        return hasHelped
    }

    private func help(_ run: String, _ key: String, _ wait: Value) -> Bool {
        if let event = wait["event"], let type = event["type"]?.stringValue {
            guard mayHelp(run, key) else { return false }
            let id = "help-\(outside.people.nextFile())"
            perform(.event(id: id, type: type, key: event["key"]?.stringValue, n: 2))
            return true
        }
        guard wait["command"]?.stringValue != nil, mayHelp(run, key) else { return false }
        let text = wait["choices"]?.listValue?.first?.stringValue ?? (key.hasSuffix("-unknown") ? "retry" : "yes")
        perform(.answer(run: run, key: key, text: text, .moved))
        return true
    }

    /// A question is answered again if the answer was lost with the power, but not for ever.
    private func mayHelp(_ run: String, _ key: String) -> Bool {
        let count = outside.people.helped["\(run)/\(key)", default: 0]
        outside.people.helped["\(run)/\(key)"] = count + 1
        return count < 24
    }

    func runNames(in runs: any Directory) -> [String] {
        let entries = (try? runs.entries(FilePath(), limit: 10_000)) ?? []
        return entries.filter { $0.kind == .directory && RunID($0.name.string) != nil }.map(\.name.string)
    }

    func json(_ path: String, in folder: any Directory) -> Value? {
        guard let bytes = (try? folder.read(FilePath(path), limit: 1 << 20)) ?? nil else { return nil }
        return try? JSON.parse(bytes)
    }
}

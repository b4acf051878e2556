import Synchronization
import SystemPackage
package import WaybillCore
import WaybillPorts

/// Finds the run that kills whoever opens it, so that it does not keep all others from going on.
///
/// Each process that takes up all runs has a file in `.waybill/opening/`, with a place for each run that it opens for the
/// first time, and its lock. A process that ends otherwise than it should leaves the names of the runs that it had in
/// hand. Those are opened after all others, one at a time, by the next one; so after that only the culprit's name is left,
/// and after ``mostDeaths`` it is set aside, in `.waybill/aside/<run>.json`. Whoever removes that file, or calls a command
/// for this very run, has it tried again.
final class OpeningMarks: Sendable {
    /// So many processes may end while they open a run, without one that succeeds in between: so many that it is no chance,
    /// where somebody kills daemons again and again just when they begin.
    static let mostDeaths = 20
    /// Bytes of a place: the longest run id and a line's end.
    private static let place = 129
    private static let folder: FilePath = "opening"
    private static let aside: FilePath = "aside"
    private static let mostFiles = 10_000
    /// A thread waits for each.
    private static let mostWaiting = 64

    /// What is known of a run that somebody had in hand when he ended.
    struct Note: Hashable {
        /// How many ended so since it was opened last.
        var deaths: Int
        /// Why it is set aside; nil where it is only opened with care.
        var reason: String?
    }

    private struct State {
        var file: (any File)?
        var name: FilePath?
        var places: [RunID: Int] = [:]
        var free: [Int] = []
        var notes: [RunID: Note] = [:]
        /// Files of other processes that somebody waits for, or waited for: those of the dead stay until the next start.
        var awaited: Set<FilePath> = []
        var waiting = 0
    }

    private let caches: any Directory
    private let state = Mutex(State())

    /// - Parameter caches: `.waybill/`.
    init(in caches: any Directory) { self.caches = caches }

    /// Looks for what others left, and begins to mark what this process opens. Where the disk refuses that, nothing is
    /// marked: it is a precaution.
    func begin() {
        state.withLock { state in
            state.notes = Self.recorded(in: caches)
            for run in leftovers() {
                let deaths = (state.notes[run]?.deaths ?? 0) + 1
                let isPoison = deaths >= Self.mostDeaths
                let reason = isPoison ? "\(deaths) processes ended while they opened it" : nil
                note(Note(deaths: deaths, reason: state.notes[run]?.reason ?? reason), on: run, &state)
            }
            open(&state)
        }
    }

    /// For a process that works on one run alone, because somebody wants it to: it marks nothing, and does not mind.
    func beginAlone() {
        state.withLock { $0.notes = Self.recorded(in: caches) }
    }

    /// Runs that others had in hand when they ended, and that are not set aside: to be opened one at a time.
    var suspects: Set<RunID> { state.withLock { Set($0.notes.filter { $0.value.reason == nil }.keys) } }

    /// Why a run is set aside; nil if it is not.
    func reason(for run: RunID) -> String? { state.withLock { $0.notes[run]?.reason } }

    /// Sets a run aside that fails again and again for a reason of its own.
    func setAside(_ run: RunID, because reason: String) {
        state.withLock { note(Note(deaths: $0.notes[run]?.deaths ?? 0, reason: reason), on: run, &$0) }
    }

    /// Whether a run that is set aside may be tried again, as somebody removed its file.
    func isReleased(_ run: RunID) -> Bool {
        state.withLock { state in
            guard (try? caches.status(Self.path(of: run))) == .some(nil) else { return false }
            state.notes[run] = nil
            return true
        }
    }

    // MARK: - This process

    /// Called before a run is opened for the first time.
    func enter(_ run: RunID) {
        state.withLock { state in
            guard let file = state.file, state.places[run] == nil else { return }
            let number = state.free.popLast() ?? state.places.count
            state.places[run] = number
            Self.write(run.text, at: number, file)
        }
    }

    /// Called when it is open, or cannot be opened: nobody was killed by it.
    func leave(_ run: RunID) {
        state.withLock { state in
            if let file = state.file, let number = state.places.removeValue(forKey: run) {
                state.free.append(number)
                Self.write("", at: number, file)
            }
            if state.notes.removeValue(forKey: run) != nil { _ = try? caches.remove(Self.path(of: run)) }
        }
    }

    /// Called at a graceful end.
    func end() {
        state.withLock { state in
            guard let file = state.file, let name = state.name else { return }
            _ = try? caches.remove(name)
            file.close()
            state.file = nil
        }
    }

    private func open(_ state: inout State) {
        do throws(FileSystemError) {
            _ = try caches.createDirectory(Self.folder, permissions: Permissions.folder)
            let name = Self.folder.appending("\(caches.nextMark()).lock")
            let file = try caches.create(name, permissions: Permissions.file)
            try file.lock()
            (state.file, state.name) = (file, name)
        } catch {
            (state.file, state.name) = (nil, nil)
        }
    }

    private static func write(_ text: String, at number: Int, _ file: any File) {
        let padding = String(repeating: " ", count: place - 1 - text.utf8.count)
        try? file.writeFully(Array("\(text)\(padding)\n".utf8), at: Int64(number * place))
    }

    // MARK: - Other processes

    /// Calls `body`, on a thread of its own, when one of the processes ends that take up all runs at present, however it
    /// ends: the kernel gives its lock back. Each is waited for once.
    func whenOthersEnd(_ body: @escaping @Sendable () -> Void) {
        state.withLock { state in
            let entries = (try? caches.entries(Self.folder, limit: Self.mostFiles)) ?? nil
            for entry in entries ?? [] where entry.kind == .file {
                let path = Self.folder.appending(entry.name)
                guard path != state.name, state.waiting < Self.mostWaiting, !state.awaited.contains(path),
                    let file = (try? caches.open(path, .readWrite)) ?? nil
                else { continue }
                let isHeard = file.whenUnlocked { [self] in
                    self.state.withLock { $0.waiting -= 1 }
                    body()
                }
                guard isHeard else { continue }
                state.awaited.insert(path)
                state.waiting += 1
            }
        }
    }

    /// The names in the files of processes that are gone, which go with them.
    private func leftovers() -> [RunID] {
        var found: [RunID] = []
        let entries = (try? caches.entries(Self.folder, limit: Self.mostFiles)) ?? nil
        for entry in entries ?? [] where entry.kind == .file {
            let path = Self.folder.appending(entry.name)
            guard let file = (try? caches.open(path, .readWrite)) ?? nil, (try? file.lock()) != nil else { continue }
            defer { file.close() }
            let bytes = (try? caches.read(path, limit: 1 << 20)) ?? nil
            for line in bytes?.split(separator: 10) ?? [] {
                let text = String(decoding: line.prefix { $0 != UInt8(ascii: " ") && $0 != 0 }, as: UTF8.self)
                if let run = RunID(text) { found.append(run) }
            }
            _ = try? caches.remove(path)
        }
        return found
    }

    private func note(_ note: Note, on run: RunID, _ state: inout State) {
        state.notes[run] = note
        let value: Value = [
            "format": 1, "run": .string(run.text), "deaths": .int(Int64(note.deaths)),
            "reason": note.reason.map(Value.string) ?? .null,
        ]
        _ = try? caches.createDirectory(Self.aside, permissions: Permissions.folder)
        try? caches.replace(Self.path(of: run), with: JSON.pretty(value), durability: .relaxed)
    }

    private static func path(of run: RunID) -> FilePath { aside.appending("\(run.text).json") }

    /// What any process of a tree has noted.
    static func recorded(in caches: any Directory) -> [RunID: Note] {
        var found: [RunID: Note] = [:]
        let entries = (try? caches.entries(aside, limit: mostFiles)) ?? nil
        for entry in entries ?? [] where entry.kind == .file {
            let bytes = (try? caches.read(aside.appending(entry.name), limit: 4_096)) ?? nil
            guard let value = bytes.flatMap({ try? JSON.parse($0) }),
                let run = value["run"]?.stringValue.flatMap(RunID.init), let deaths = value["deaths"]?.intValue
            else { continue }
            found[run] = Note(deaths: Int(deaths), reason: value["reason"]?.stringValue)
        }
        return found
    }
}

extension Tree {
    /// Runs that are set aside, with the reason: for `doctor`.
    package var runsSetAside: [(run: RunID, reason: String)] {
        OpeningMarks.recorded(in: caches).compactMap { run, note in note.reason.map { (run, $0) } }
            .sorted { $0.run < $1.run }
    }
}

import SystemPackage
import WaybillCore
import WaybillPorts
import WaybillRuntime
import WaybillTestKit

/// A machine with a disk, a clock, people, programs and some daemons, driven by one thread.
///
/// All that happens follows from the workload and the seed of the schedule. It is unchecked because that one thread has
/// it.
package final class World: @unchecked Sendable {
    static let root: FilePath = "/tree"

    /// How a world came to its end.
    enum Rest: Sendable {
        case done
        case stuck(String)
    }

    let workload: Workload
    let disk: MemoryDisk
    let scheduler = Scheduler()
    /// Everything that people and programs do with files; no operation of theirs is counted.
    let hands: MemoryFileSystem
    var outside: Outside
    var lives: [Life] = []
    /// Decides over the schedule, and over nothing else.
    var random: SeededGenerator
    /// What worlds of this workload have compiled.
    let definitions: SharedDefinitions
    private let trouble: Trouble
    /// Called when nothing is under way on any lane.
    var betweenJobs: () -> Void = {}
    /// Gets every operation, and what daemons log.
    var onTrace: (@Sendable (String) -> Void)?
    /// Nobody wants to know how it goes on.
    var isAbandoned = false

    private static let noon = Timestamp(microseconds: 1_800_000_000_000_000)
    /// What a world may take; far more than any needs.
    private static let mostSteps = 60_000
    /// Nobody sets a clock for ever.
    private static let mostJumps = 6
    /// How long nothing may come of anything: longer than waits take, and many tries in a row that the disk refuses.
    private static let mostIdle = Duration.seconds(14_400)
    /// So often time leaps to what is planned last while nothing happens.
    private static let mostLeaps = 3

    /// A new world with an empty tree.
    ///
    /// - Parameter killAt: the operation whose process is killed.
    init(_ workload: Workload, _ definitions: SharedDefinitions, faults: Int, killAt: Int? = nil) {
        self.workload = workload
        self.definitions = definitions
        random = SeededGenerator(workload.seed, 3)
        disk = MemoryDisk()
        hands = MemoryFileSystem(disk, process: 1, mark: "people", isCounted: false)
        outside = Outside(now: Self.noon, people: People(plan: workload.acts[...], beganAt: Self.noon))
        trouble = Trouble(faults, SeededGenerator(workload.seed, 4), killAt: killAt)
        prepare()
    }

    /// A copy of a world as it was at some moment, after a crash.
    ///
    /// - Parameter schedule: decides over what follows.
    init(
        _ workload: Workload, _ definitions: SharedDefinitions, _ volume: MemoryVolume, _ outside: Outside,
        schedule: SeededGenerator, faults: Int
    ) {
        self.workload = workload
        self.definitions = definitions
        self.outside = outside
        random = schedule
        disk = MemoryDisk(volume)
        hands = MemoryFileSystem(disk, process: 1, mark: "people\(outside.people.files)", isCounted: false)
        var seed = schedule
        trouble = Trouble(faults, SeededGenerator(seed.next()))
        watchDisk()
    }

    private func prepare() {
        disk.withVolume { $0.now = Self.noon }
        try? hands.createDirectories(Self.root.appending("workflows"))
        if let root = (try? hands.openDirectory(Self.root)) ?? nil {
            try? root.write(Array(workload.manifest.utf8), toNew: "workflows/all.yaml", durability: .full)
            _ = try? root.createDirectory("runs", permissions: Permissions.folder)
            _ = try? root.createDirectory("runs/inbox", permissions: Permissions.folder)
            for folder in ["workflows", "runs", ""] as [FilePath] { try? root.synchronize(folder) }
        }
        if let top = (try? hands.openDirectory("/")) ?? nil { try? top.synchronize() }
        let runs = disk.withVolume { $0.folder(at: Self.root.appending("runs")) }
        disk.withVolume { volume in
            volume.promises = MemoryPromises(
                files: [MemoryName("ledger.jsonl"), MemoryName("journal.jsonl")], folders: runs.map { [$0] } ?? [])
        }
        watchDisk()
    }

    private func watchDisk() {
        let trouble = trouble
        disk.withVolume { volume in
            volume.changes = []
            volume.plan = trouble.plan
        }
    }

    /// The tree as a process sees it.
    func tree(_ fileSystem: MemoryFileSystem) throws(RuntimeError) -> Tree {
        var machine = Machine(
            boot: "boot-\(outside.boot)", user: "alice", userName: { $0 == 1_000 ? "alice" : nil },
            waitForLock: { $0 < 3 })
        // No more than it takes: each power loss goes through all of it.
        machine.reserveBytes = 64 << 10
        return try Tree.open(
            Self.root, fileSystem: fileSystem, clock: SimulatedClock(self), machine: machine)
    }

    // MARK: - Daemons

    /// Starts so many daemons as the workload has; one that cannot begin is tried again later.
    func startDaemons() {
        for _ in lives.count..<workload.daemons { startDaemon() }
    }

    private func startDaemon() {
        let number = outside.nextProcess()
        // In a container the process id is the same each time.
        let life = Life(number, disk, mark: lives.isEmpty ? 1 : number)
        lives.append(life)
        do throws(RuntimeError) {
            try life.begin(in: self)
        } catch {
            // The service manager tries again a little later.
            life.end()
            lives.removeAll { $0 === life }
            restartAt = outside.now + .seconds(2)
        }
    }

    private var restartAt: Timestamp?
    /// How the files stood after so many changes of the disk, with so many bytes of the journal synced: most looks at the
    /// world come without any.
    private var standingOfFiles = (changes: -1, synced: 0, areAtRest: false)
    /// The changes of the disk when somebody last looked whether help was needed.
    private var changesAtHelp = -1

    /// Buries the daemons that were killed.
    private func bury() {
        for life in lives where !life.isAlive {
            life.end()
            restartAt = restartAt ?? outside.now + .seconds(random.number(1..<60))
        }
        lives.removeAll { !$0.isAlive }
    }

    func endAll() {
        for life in lives { life.end() }
        lives = []
        disk.withVolume { volume in
            volume.recorder = nil
            volume.plan = nil
        }
    }

    // MARK: - Time

    /// Lets everything happen until all is at rest.
    func run() -> Rest {
        var idleSince = outside.monotonicNanoseconds
        var leaps = 0
        var size = 0
        for _ in 0..<Self.mostSteps {
            if isAbandoned { return .done }
            if step() { continue }
            if isDone { return .done }
            if needsHelp, help() { continue }
            guard passTime() else { return .stuck("nothing is due") }
            let now = progress
            if now != size {
                idleSince = outside.monotonicNanoseconds
                leaps = 0
            }
            size = now
            let idle = Duration.nanoseconds(Int64(outside.monotonicNanoseconds - idleSince))
            // Where somebody set the clock back by years, years pass; once more if what was planned last was not what counts.
            if idle > Self.mostIdle / 2, outside.jumps > 0, leaps < Self.mostLeaps,
                let latest = lives.compactMap(\.timers.latest).max()
            {
                leaps += 1
                if latest > outside.now { outside.pass(latest - outside.now) }
                idleSince = outside.monotonicNanoseconds
            }
            if idle > Self.mostIdle { return .stuck(standing) }
        }
        return .stuck("it does not come to rest: \(standing)")
    }

    /// One thing that is due at this moment; false if there is none.
    private func step() -> Bool {
        betweenJobs()
        if lives.contains(where: { !$0.isAlive }) { bury() }
        outside.pass(.microseconds(Int64(random.number(1..<1_500))))
        settleClock()
        let changes = disk.withVolume { volume in
            defer { volume.changes?.removeAll(keepingCapacity: true) }
            return volume.changes ?? []
        }
        if !changes.isEmpty { for life in lives { life.watcher.take(changes, workload.hearing, &random) } }
        if random.number(0..<10_000) < workload.jumps, outside.jumps < Self.mostJumps { jump() }
        if let nextAt = outside.people.nextAt, nextAt <= outside.now, scheduler.isIdle || random.chance(10) {
            act()
            return true
        }
        if outside.programs.values.contains(where: { $0.endsAt <= outside.now }) {
            endPrograms()
            return true
        }
        if outside.requests.values.contains(where: { $0.endsAt <= outside.now }) {
            answerRequests()
            return true
        }
        if let restartAt, restartAt <= outside.now {
            self.restartAt = nil
            startDaemons()
            return true
        }
        let told = lives.filter { $0.watcher.hasNews }
        if !told.isEmpty, scheduler.isIdle || random.chance(30) {
            random.pick(told).watcher.tell(workload.hearing, &random)
            return true
        }
        for life in lives where life.timers.earliest.map({ $0 <= outside.now }) ?? false {
            life.timers.fire(outside.now)
            return true
        }
        guard !scheduler.isIdle else { return false }
        scheduler.runOne(&random)
        return true
    }

    /// The kernel's own clock, which files get their times from, moves in ticks.
    private func settleClock() {
        let tick = Int64(4_000)
        let time = Timestamp(microseconds: outside.now.microseconds / tick * tick)
        disk.withVolume { $0.now = time }
    }

    /// Moves on to the next moment at which something is due.
    private func passTime() -> Bool {
        var moments = outside.programs.values.map(\.endsAt) + outside.requests.values.map(\.endsAt)
        moments += lives.compactMap(\.timers.earliest)
        if let nextAt = outside.people.nextAt { moments.append(nextAt) }
        if let restartAt { moments.append(restartAt) }
        guard let next = moments.min() else { return false }
        if next > outside.now { outside.pass(next - outside.now) }
        return true
    }

    /// Somebody sets the clock, by hours or by years.
    private func jump() {
        outside.jumps += 1
        let hours = random.chance(70) ? random.number(-30..<30) : random.number(-20_000..<20_000)
        outside.set(outside.now + .seconds(hours * 3_600))
        if let at = restartAt { restartAt = at + .seconds(hours * 3_600) }
        for life in lives { life.timers.clockWasSet() }
    }

    // MARK: - Standing

    /// Grows with every entry of any ledger.
    private var progress: Int {
        disk.withVolume { volume in
            var size = 0
            for (_, bytes) in volume.promises?.contents ?? [:] { size += bytes.count }
            return size
        } + outside.people.files
    }

    private var isDone: Bool {
        guard outside.people.plan.isEmpty, outside.programs.isEmpty, outside.requests.isEmpty, restartAt == nil,
            !lives.isEmpty
        else { return false }
        // A run that a daemon wants to look at again is not at rest, whatever its files say.
        guard !lives.contains(where: { $0.timers.keys.contains { $0.hasPrefix("run/") } }) else { return false }
        let (changes, synced) = disk.withVolume { ($0.mutationCount, Self.journal($0).count) }
        if (changes, synced) != (standingOfFiles.changes, standingOfFiles.synced) {
            standingOfFiles = (changes, synced, areFilesAtRest)
        }
        return standingOfFiles.areAtRest
    }

    /// Whether the disk has changed since the last look for somebody to help: without, nobody needs any.
    private var needsHelp: Bool {
        let changes = disk.withVolume { $0.mutationCount }
        defer { changesAtHelp = changes }
        return changes != changesAtHelp
    }

    /// Whether nothing lies in an inbox that somebody has to take, and all runs have ended, in the journal, too.
    private var areFilesAtRest: Bool {
        guard let runs = (try? hands.openDirectory(Self.root.appending("runs"))) ?? nil,
            isEmpty("inbox", in: runs), isEmpty("inbox/.claimed", in: runs)
        else { return false }
        return runNames(in: runs).allSatisfy { run in
            json("\(run)/run.json", in: runs)?["endedAt"]?.stringValue != nil
                && isEmpty("\(run)/inbox/.claimed", in: runs)
        } && endedInJournal == runNames(in: runs).count
    }

    /// How many ends the journal has. It is asked for each time that the disk changes, so that no line is parsed.
    private var endedInJournal: Int {
        let (line, type) = (Array(#"{"seq":"#.utf8), Array(#"","type":"RUN_ENDED","#.utf8))
        return disk.withVolume { Self.journal($0) }.split(separator: UInt8(ascii: "\n")).count { bytes in
            // The type stands behind a number and a timestamp.
            guard bytes.starts(with: line), let time = bytes.firstIndex(of: UInt8(ascii: "T")) else { return false }
            return bytes[time...].dropFirst(Timestamp.spellingLength - 10).starts(with: type)
        }
    }

    /// What of the journal was made durable.
    private static func journal(_ volume: MemoryVolume) -> [UInt8] {
        volume.promises?.contents.first { $0.key.last == MemoryName("journal.jsonl") }?.value ?? []
    }

    /// Whether nothing lies in a folder but folders and what everybody passes over.
    private func isEmpty(_ path: String, in runs: any Directory) -> Bool {
        let entries = (try? runs.entries(FilePath(path), limit: 10_000)) ?? []
        return entries.allSatisfy { $0.kind == .directory || $0.name.string.hasPrefix(".") }
    }

    /// What keeps a world from its end, in words.
    private var standing: String {
        guard let runs = (try? hands.openDirectory(Self.root.appending("runs"))) ?? nil else { return "no runs" }
        var words = runNames(in: runs).map { run in
            let glance = json("\(run)/run.json", in: runs)
            let names = (try? runs.entries(FilePath("\(run)/inbox"), limit: 1_000)) ?? []
            let waits = (try? runs.entries(FilePath("\(run)/waits"), limit: 1_000)) ?? []
            return "\(run) \(glance?["status"]?.stringValue ?? "without run.json") inbox "
                + "\(names.map(\.name.string)) waits \(waits.map(\.name.string))"
        }
        let common = (try? runs.entries("inbox", limit: 1_000)) ?? []
        let claimed = (try? runs.entries("inbox/.claimed", limit: 1_000)) ?? []
        words.append("common \(common.map(\.name.string)) claimed \(claimed.map(\.name.string))")
        words.append("due \(lives.flatMap { $0.timers.keys.sorted() })")
        words.append("plans \(outside.people.plan.count), restart \(restartAt?.description ?? "none")")
        words.append("daemons \(lives.count), programs \(outside.programs.count), requests \(outside.requests.count)")
        words.append("journal ends \(endedInJournal)")
        return words.joined(separator: "; ")
    }

    /// Faults that happened so far.
    var faultCount: Int { trouble.count }
}

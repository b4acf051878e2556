import SystemPackage
import WaybillCore
import WaybillPorts
import WaybillTestKit

/// Starts programs that live in the world, not in the daemon that launched them.
final class SimulatedLauncher: ProcessLauncher, @unchecked Sendable {
    private unowned let world: World
    private let life: Life

    init(_ world: World, _ life: Life) {
        self.world = world
        self.life = life
    }

    func launch(
        _ request: LaunchRequest, ended: @escaping @Sendable (ProcessOutcome?) -> Void
    ) throws(LaunchError) -> any RunningProcess {
        guard life.isAlive else { throw LaunchError(code: .shutDown, message: "the daemon is gone") }
        guard let log = request.stdoutPath else { throw LaunchError(code: .log, message: "there is no log") }
        let folder = log.removingLastComponent()
        do throws(FileSystemError) {
            guard let directory = try world.hands.openDirectory(folder) else {
                throw FileSystemError(.notFound, "open", folder)
            }
            for name in ["stdout.log", "stderr.log"] as [FilePath] {
                try directory.create(name, permissions: Permissions.file).close()
            }
        } catch {
            throw LaunchError(code: .log, message: error.description, path: log)
        }
        let number = world.outside.nextProcess()
        world.outside.begin(number, request, folder, world.workload.seed)
        life.ends[number] = [ended]
        return SimulatedProcess(world: world, number: number)
    }

    func adopt(
        exitFile: FilePath, ended: @escaping @Sendable (ProcessOutcome?) -> Void
    ) throws(LaunchError) -> Adoption {
        guard life.isAlive else { throw LaunchError(code: .shutDown, message: "the daemon is gone") }
        let folder = exitFile.removingLastComponent()
        guard let number = world.outside.programs.first(where: { $0.value.folder == folder })?.key else {
            return world.outside.launches[folder.string] == nil ? .neverBegan : .gone
        }
        life.ends[number, default: []].append(ended)
        return .running(SimulatedProcess(world: world, number: number))
    }

    func shutDown() { life.ends = [:] }
}

struct SimulatedProcess: RunningProcess, @unchecked Sendable {
    unowned let world: World
    let number: Int

    var pid: Int32? { Int32(number) }
    var startTicks: UInt64? { UInt64(number) }
    func terminate(grace: Duration?) { stop() }
    func kill() { stop() }

    private func stop() {
        let now = world.outside.now
        world.outside.programs[number]?.isStopped = true
        world.outside.programs[number]?.endsAt = now
    }
}

extension Outside {
    /// What a program does follows from the attempt alone, so that it does the same in every copy of a world.
    fileprivate mutating func begin(
        _ number: Int, _ request: LaunchRequest, _ folder: FilePath, _ seed: UInt64
    ) {
        let key = request.environment["WAYBILL_IDEMPOTENCY_KEY"] ?? ""
        let attempt = Int(request.environment["WAYBILL_ATTEMPT"] ?? "") ?? 1
        let mixed = key.utf8.reduce(seed) { ($0 ^ UInt64($1)) &* 0x100_0000_01B3 }
        var random = SeededGenerator(mixed, attempt)
        let word = request.argv.dropFirst().first ?? ""
        let isFlaky = word.hasPrefix("flaky")
        let exitCode: Int32 = word.hasPrefix("bad") || isFlaky && attempt < 3 && random.chance(60) ? 2 : 0
        let milliseconds = random.chance(70) ? random.number(1..<40) : random.number(40..<4_000)
        var program = Program(
            folder: folder, startedAt: now, endsAt: now + .milliseconds(milliseconds),
            exitCode: exitCode, output: Array("\(word) done\n".utf8))
        if let timeout = request.timeout, now + timeout < program.endsAt {
            program.endsAt = now + timeout
            program.isLate = true
        }
        programs[number] = program
        let path = folder.string
        if launches[path] == nil { launches[path] = Launch(key: key) } else { launches[path]?.count += 1 }
    }
}

extension World {
    /// Ends the programs whose time has come: output and record are written, and whoever launched or adopted them hears of it.
    func endPrograms() {
        for (number, program) in outside.programs.sorted(by: { $0.key < $1.key })
        where program.endsAt <= outside.now {
            outside.programs[number] = nil
            let outcome = program.outcome(at: outside.now)
            if !program.isStopped, !program.isLate {
                outside.launches[program.folder.string]?.exitCode = program.exitCode
            }
            write(program, outcome)
            for life in lives {
                for ended in life.ends.removeValue(forKey: number) ?? [] { ended(outcome) }
            }
        }
    }

    private func write(_ program: Program, _ outcome: ProcessOutcome) {
        guard let folder = (try? hands.openDirectory(program.folder)) ?? nil else { return }
        if let log = (try? folder.open("stdout.log", .readWrite)) ?? nil {
            try? log.writeFully(program.output, at: 0)
        }
        try? folder.replace("exit.json", with: JSON.pretty(outcome.record), durability: .relaxed)
    }
}

extension Program {
    fileprivate func outcome(at now: Timestamp) -> ProcessOutcome {
        let stop: ProcessOutcome.Stop? = isLate ? .timeout : isStopped ? .request : nil
        return ProcessOutcome(
            end: stop == nil ? .exited(code: exitCode) : .signalled(signal: 15, coreDumped: false), stop: stop,
            startedAt: startedAt, endedAt: now)
    }
}

extension ProcessOutcome {
    /// What a monitor writes as `exit.json`.
    fileprivate var record: Value {
        var record: Object = [
            "format": .int(Self.recordFormat), "error": .null, "exitCode": .null, "signal": .null,
            "coreDumped": false, "timedOut": .bool(stop == .timeout), "stopped": .bool(stop == .request),
            "startedAt": .string(startedAt.description), "endedAt": .string(endedAt.description),
            "truncated": ["stdout": false, "stderr": false], "leftBehind": 0, "stillRunning": 0, "usage": .null,
        ]
        switch end {
        case .exited(let code): record["exitCode"] = .int(Int64(code))
        case .signalled(let signal, _): record["signal"] = .int(Int64(signal))
        case .failedToStart(let errno, let message):
            record["error"] = ["errno": .int(Int64(errno)), "message": .string(message)]
        }
        return .object(record)
    }
}

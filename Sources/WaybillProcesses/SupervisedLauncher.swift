import CLinux
import Glibc
import Synchronization
package import SystemPackage
package import WaybillPorts

/// Starts programs under monitors of their own, which a tree's resident supervisor forks (`waybill-supervisor`).
///
/// Programs are nobody's children here: they outlive this process, and a later one takes them over. There is no other
/// way to start a program; those without an exit file, which must end with this process, are ended by their monitors.
package final class SupervisedLauncher: ProcessLauncher {
    private let connection: SupervisorConnection
    private let watch: ReportWatch
    private let thread: Mutex<DedicatedThread?>

    /// How long a launch waits for the monitor's first word; after that the program is taken to run, and reports later.
    private static let patienceMilliseconds: Int32 = 10_000
    /// A monitor that is killed before it began anything is replaced.
    private static let mostTries = 3

    /// - Parameters:
    ///   - caches: the tree's `.waybill/`, where its supervisor is met.
    ///   - program: the supervisor's executable.
    /// - Throws: ``LaunchError`` for want of threads or descriptors. A supervisor is started when it is needed.
    package init(caches: FilePath, program: SupervisorProgram = SupervisorProgram()) throws(LaunchError) {
        connection = SupervisorConnection(caches: caches, program: program)
        let watch = try ReportWatch()
        self.watch = watch
        guard let thread = DedicatedThread(name: "processes", { watch.run() }) else {
            throw LaunchError(code: .noResources, message: "no thread left to wait for programs on")
        }
        self.thread = Mutex(thread)
    }

    package func launch(
        _ request: LaunchRequest, ended: @escaping @Sendable (ProcessOutcome?) -> Void
    ) throws(LaunchError) -> any RunningProcess {
        try watch.checkOpen()
        for _ in 0..<Self.mostTries {
            if let process = try begin(request, ended: ended) { return process }
        }
        throw LaunchError(
            code: .noResources, message: "\(request.argv[0]): whoever was to start it ended before it did")
    }

    /// - Returns: nil if the monitor ended without having begun anything.
    private func begin(
        _ request: LaunchRequest, ended: @escaping @Sendable (ProcessOutcome?) -> Void
    ) throws(LaunchError) -> SupervisedProcess? {
        let launch = try PreparedLaunch(request)
        do throws(LaunchError) {
            try connection.send(launch.packet, files: launch.descriptors)
        } catch {
            launch.abandon()
            throw error
        }
        // As long as this process had them, too, neither would the lock be free nor the report end.
        launch.closeSent()
        let process = SupervisedProcess(report: launch.report, files: launch.files, ended: ended)
        let news = process.awaitStart(milliseconds: Self.patienceMilliseconds)
        // Whoever refuses says so and is silent, often in one breath.
        if let refusal = process.said.refusal {
            launch.abandon()
            throw LaunchError.system(refusal.errno, "cannot make a process for \(request.argv[0])")
        }
        switch news {
        case .outcome(let outcome): process.end(outcome)
        case .more: try add(process)
        case .silence:
            guard launch.files?.wasBegun() == true else {
                launch.abandon()
                return nil
            }
            process.end(process.settle())
        }
        return process
    }

    /// What cannot be watched goes on without this launcher, or ends, as it does when the launcher ends.
    private func add(_ process: SupervisedProcess) throws(LaunchError) {
        do throws(LaunchError) {
            try watch.add(process)
        } catch {
            process.forget()
            throw error
        }
    }

    package func adopt(
        exitFile: FilePath, ended: @escaping @Sendable (ProcessOutcome?) -> Void
    ) throws(LaunchError) -> Adoption {
        try watch.checkOpen()
        let files = AttemptFiles(exitFile: exitFile)
        guard let lock = try files.openLock() else { return .gone }
        guard wb_is_locked(lock.number) != 0 else {
            guard AttemptFiles.wasBegun(lock) else { return .neverBegan }
            _ = files.settle()
            return .gone
        }
        let process = SupervisedProcess(lock: lock, files: files, ended: ended)
        try waitForLock(of: process)
        return .running(process)
    }

    /// What reports to a process that is gone is heard of by its lock, which nobody can wait for but a thread.
    private func waitForLock(of process: SupervisedProcess) throws(LaunchError) {
        let watch = self.watch
        let thread = DedicatedThread(name: "adopted") {
            process.awaitIdentity()
            let outcome = process.settle()
            if (try? watch.checkOpen()) != nil { process.end(outcome) }
        }
        guard let thread else {
            throw LaunchError(code: .noResources, message: "no thread left to wait for a program on")
        }
        thread.detach()
    }

    package func shutDown() {
        let thread = thread.withLock { thread in
            defer { thread = nil }
            return thread
        }
        guard let thread else { return }
        watch.shutDown()
        thread.join()
        connection.close()
    }
}

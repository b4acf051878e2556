import Glibc
package import SystemPackage
import WaybillCore
import WaybillEngine
package import WaybillExpressions
package import WaybillPorts
package import WaybillStore

/// An open tree: where its files are, and the stores that keep them.
package struct Tree: Sendable {
    package let layout: TreeLayout
    package let fileSystem: any FileSystem
    package let clock: any WallClock
    /// The tree's root, `runs/` and `.waybill/`.
    package let root: any Directory
    package let runsDirectory: any Directory
    package let caches: any Directory
    package let runs: RunFolders
    package let ledgers: any LedgerStore
    package let checkpoints: any CheckpointStore
    package let artifacts: any ArtifactStore
    package let journal: any JournalStore
    /// What heads are signed with.
    package let signing: TreeSigning
    /// The time zones that schedules and expressions may name.
    package let zones: any TimeZoneSource = SystemZones()
    /// The journal's events.
    package let events: EventLog
    /// Room for the outcomes of steps.
    package let reserve: Reserve
    let git = GitStatus()
    /// The kernel's boot id.
    package let boot: String
    /// Who works on the tree: the name of this process's user.
    package let user: String
    /// What every process step starts with: nothing of the daemon's own environment but who and where it is.
    package let baseEnvironment: [String: String]
    private let userName: @Sendable (UInt32) -> String?

    /// Opens the tree at a folder, and makes `runs/` and `.waybill/` where they are missing.
    ///
    /// - Throws: `noTree` if the folder is missing or lies on a file system without the semantics that are needed.
    package static func open(
        _ root: FilePath, fileSystem: any FileSystem, clock: any WallClock, machine: Machine = Machine()
    ) throws(RuntimeError) -> Tree {
        do throws(FileSystemError) {
            return try Tree(root, fileSystem, clock, machine)
        } catch {
            throw RuntimeError(.noTree, "cannot open the tree at \(root): \(error.description)")
        }
    }

    private init(
        _ path: FilePath, _ fileSystem: any FileSystem, _ clock: any WallClock, _ machine: Machine
    ) throws(FileSystemError) {
        layout = TreeLayout(root: path)
        self.fileSystem = fileSystem
        self.clock = clock
        guard let root = try fileSystem.openDirectory(path) else { throw FileSystemError(.notFound, "open", path) }
        let type = try root.fileSystemType()
        if !type.isSuitable { throw FileSystemError(.unsupported, "use the \(type.name) file system", path) }
        self.root = root
        _ = try root.createDirectory("runs", permissions: Permissions.folder)
        _ = try root.createDirectory("runs/inbox", permissions: Permissions.folder)
        _ = try root.createDirectory(".waybill", permissions: Permissions.folder)
        guard let runsDirectory = try root.openDirectory("runs"), let caches = try root.openDirectory(".waybill") else {
            throw FileSystemError(.notFound, "open", path)
        }
        // Either may be a file system of its own.
        for (directory, name) in [(runsDirectory, "runs"), (caches, ".waybill")] {
            let type = try directory.fileSystemType()
            guard type.isSuitable else {
                throw FileSystemError(.unsupported, "use the \(type.name) file system", path.appending(name))
            }
        }
        self.runsDirectory = runsDirectory
        self.caches = caches
        runs = RunFolders(runsDirectory)
        ledgers = FileLedgerStore(runs: runsDirectory)
        checkpoints = FileCheckpointStore(runs: runsDirectory)
        artifacts = FileArtifactStore(runs: runsDirectory)
        signing = TreeSigning(files: KeyFiles(root: path, fileSystem: fileSystem))
        journal = FileJournal(
            in: runsDirectory, options: FileJournal.Options(waitForLock: machine.waitForLock, sign: signing.sign))
        events = EventLog(journal)
        reserve = Reserve(in: caches, size: machine.reserveBytes)
        boot = machine.boot
        user = machine.user
        baseEnvironment = machine.environment
        userName = machine.userName
    }

    /// The door of an inbox.
    ///
    /// - Parameter keeper: the user id whose the inbox is; nil if that is not known.
    func door(to inbox: any Directory, keeper: UInt32? = nil) -> InboxDoor {
        InboxDoor(inbox, keeper: keeper, userName: userName)
    }
}

extension TreeLayout {
    /// `runs` as paths in ledgers have it: relative to the tree's root.
    var runsPrefix: FilePath {
        var relative = runs
        return relative.removePrefix(root) ? relative : runs
    }
}

/// What the runtime asks the machine: the real one, unless said otherwise.
package struct Machine: Sendable {
    /// Changes with every boot; processes of another boot are gone.
    package var boot: String
    /// The name of this process's user.
    package var user: String
    /// What every process step starts with.
    package var environment: [String: String]
    /// The name of a user id; nil if the machine knows none.
    package var userName: @Sendable (UInt32) -> String?
    /// How long to wait for the journal's lock.
    package var waitForLock: @Sendable (Int) -> Bool
    /// How much of the disk is set apart for the outcomes of steps.
    package var reserveBytes = Reserve.standardBytes

    package init() {
        boot = Self.bootID
        user = Accounts.userName(of: geteuid()) ?? "uid:\(geteuid())"
        environment = Self.baseEnvironment(user: user)
        userName = Accounts.userName(of:)
        waitForLock = LockPatience.standard
    }

    package init(
        boot: String, user: String, userName: @escaping @Sendable (UInt32) -> String?,
        waitForLock: @escaping @Sendable (Int) -> Bool
    ) {
        self.boot = boot
        self.user = user
        environment = [:]
        self.userName = userName
        self.waitForLock = waitForLock
    }

    private static var bootID: String {
        guard let file = fopen("/proc/sys/kernel/random/boot_id", "r") else { return "unknown" }
        defer { fclose(file) }
        var buffer = [UInt8](repeating: 0, count: 64)
        let count = fread(&buffer, 1, buffer.count, file)
        return String(decoding: buffer[..<count].filter { $0 != UInt8(ascii: "\n") }, as: UTF8.self)
    }

    private static func baseEnvironment(user: String) -> [String: String] {
        var environment = [
            "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LANG": "C.UTF-8", "USER": user,
            "LOGNAME": user,
        ]
        if let home = getenv("HOME") { environment["HOME"] = String(cString: home) }
        return environment
    }
}

import Glibc
import SystemPackage

/// Makes the files and directories of runs, with the syncs that make them durable, and does nothing else.
struct PlainTree {
    let root: FilePath
    private let manifest: [UInt8]
    private let journal: FileDescriptor

    /// Bytes of what a run of two steps leaves, about.
    private enum Size {
        static let ledger = 1_800
        static let index = 256
        static let journalLine = 300
        static let checkpoint = 1_750
        static let glance = 1_030
        static let answerEntries = 1_500
        static let receipt = 500
    }

    /// Bytes that an answer adds to a ledger, about.
    static var answerBytes: Int { Size.answerEntries }

    init(at root: FilePath, manifest: String) throws {
        self.root = root
        self.manifest = Array(manifest.utf8)
        for path in ["", "runs", "runs/inbox", "runs/inbox/.claimed", "runs/.building"] { try Self.make(root.at(path)) }
        journal = try FileDescriptor.open(
            root.at("runs/journal.jsonl"), .writeOnly, options: [.create, .append], permissions: [.ownerReadWrite])
    }

    /// A request that is claimed, a folder that is built aside and renamed, with a checkpoint and `run.json` that are not
    /// synced, and the start and the end in the journal.
    func run(_ id: String) throws {
        let request = root.at("runs/inbox/\(id).json")
        let claimed = root.at("runs/inbox/.claimed/\(id).json")
        try write(40, to: root.appending("request-\(id)"), isSynced: false)
        rename(root.appending("request-\(id)").string, request.string)
        rename(request.string, claimed.string)
        try synchronize(root.at("runs/inbox/.claimed"))
        try build(root.at("runs/.building/\(id)"))
        rename(root.at("runs/.building/\(id)").string, root.at("runs/\(id)").string)
        try synchronize(root.at("runs"))
        try appendToJournal()
        unlink(claimed.string)
        try appendToJournal()
    }

    /// A run that waits, with an answer in its inbox.
    func addWaiting(_ id: String) throws {
        let folder = root.at("runs/\(id)")
        for path in ["", "waits", "checkpoints", "inbox", "inbox/.claimed"] { try Self.make(folder.at(path)) }
        try write(Size.ledger, to: folder.appending("ledger.jsonl"), isSynced: false)
        try write(Size.receipt, to: folder.at("waits/approve.json"), isSynced: false)
        try write(3, to: folder.at("inbox/approve.txt"), isSynced: false)
    }

    /// An answer that is claimed, read and recorded: what no program can do without that keeps it with its run.
    func accept(_ id: String) throws {
        let folder = root.at("runs/\(id)")
        let claimed = folder.at("inbox/.claimed/approve.txt")
        rename(folder.at("inbox/approve.txt").string, claimed.string)
        guard PlainFile.text(claimed) != nil else { throw Errno.noSuchFileOrDirectory }
        let ledger = try FileDescriptor.open(folder.appending("ledger.jsonl"), .writeOnly, options: .append)
        try ledger.closeAfter { try append(Size.answerEntries, to: ledger) }
    }

    /// The same, its receipt and its copy, and what else a run leaves that ends with it.
    func answer(_ id: String) throws {
        try accept(id)
        let folder = root.at("runs/\(id)")
        let claimed = folder.at("inbox/.claimed/approve.txt")
        try Self.make(folder.at("inbox/accepted"))
        try project(Size.receipt, as: "3-approve.txt.reason.json", in: folder.at("inbox/accepted"))
        try project(3, as: "3-approve.txt", in: folder.at("inbox/accepted"))
        unlink(claimed.string)
        unlink(folder.at("waits/approve.json").string)
        try project(Size.checkpoint, as: "9.json", in: folder.at("checkpoints"))
        try project(Size.glance, as: "run.json", in: folder)
        try appendToJournal()
    }

    private func build(_ folder: FilePath) throws {
        try Self.make(folder)
        try write(Size.ledger, to: folder.appending("ledger.jsonl"))
        try Self.make(folder.at("definition"))
        try Self.make(folder.at("definition/workflows"))
        try write(manifest.count, to: folder.at("definition/workflows/bench.yaml"))
        try write(Size.index, to: folder.at("definition/index.json"))
        try synchronize(folder.at("definition/workflows"))
        try synchronize(folder.at("definition"))
        try Self.make(folder.at("inbox"))
        try Self.make(folder.at("waits"))
        try Self.make(folder.at("checkpoints"))
        try write(Size.checkpoint, to: folder.at("checkpoints/5.json"), isSynced: false)
        try write(Size.glance, to: folder.appending("run.json"), isSynced: false)
        try synchronize(folder)
    }

    private func project(_ size: Int, as name: String, in folder: FilePath) throws {
        let temporary = folder.appending(".\(name).tmp")
        try write(size, to: temporary, isSynced: false)
        rename(temporary.string, folder.appending(name).string)
    }

    private func write(_ size: Int, to path: FilePath, isSynced: Bool = true) throws {
        let file = try FileDescriptor.open(
            path, .writeOnly, options: [.create, .exclusiveCreate], permissions: [.ownerReadWrite])
        try file.closeAfter {
            _ = try file.writeAll([UInt8](repeating: UInt8(ascii: "x"), count: size))
            guard !isSynced || fdatasync(file.rawValue) == 0 else { throw Errno(rawValue: errno) }
        }
    }

    private func appendToJournal() throws { try append(Size.journalLine, to: journal) }

    private func append(_ size: Int, to file: FileDescriptor) throws {
        _ = try file.writeAll([UInt8](repeating: UInt8(ascii: "x"), count: size))
        guard fdatasync(file.rawValue) == 0 else { throw Errno(rawValue: errno) }
    }

    private func synchronize(_ folder: FilePath) throws {
        let file = try FileDescriptor.open(folder, .readOnly, options: .directory)
        try file.closeAfter {
            guard fsync(file.rawValue) == 0 else { throw Errno(rawValue: errno) }
        }
    }

    private static func make(_ folder: FilePath) throws {
        guard mkdir(folder.string, 0o700) == 0 else { throw Errno(rawValue: errno) }
    }
}

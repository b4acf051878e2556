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
        static let checkpoint = 2_600
        static let glance = 1_030
    }

    init(at root: FilePath, manifest: String) throws {
        self.root = root
        self.manifest = Array(manifest.utf8)
        for path in ["", "runs", "runs/inbox", "runs/inbox/.claimed", "runs/.building"] { try Self.make(root.at(path)) }
        journal = try FileDescriptor.open(
            root.at("runs/journal.jsonl"), .writeOnly, options: [.create, .append], permissions: [.ownerReadWrite])
    }

    /// A request that is claimed, a folder that is built aside and renamed, the start and the end in the journal, and a
    /// checkpoint and `run.json` without a sync.
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
        try project(Size.glance, as: "run.json", in: root.at("runs/\(id)"))
        try Self.make(root.at("runs/\(id)/checkpoints"))
        try project(Size.checkpoint, as: "5.json", in: root.at("runs/\(id)/checkpoints"))
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

    private func appendToJournal() throws {
        _ = try journal.writeAll([UInt8](repeating: UInt8(ascii: "x"), count: Size.journalLine))
        guard fdatasync(journal.rawValue) == 0 else { throw Errno(rawValue: errno) }
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

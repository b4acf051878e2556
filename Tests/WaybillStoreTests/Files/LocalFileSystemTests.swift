import Glibc
import SystemPackage
import Testing
import WaybillPorts
import WaybillTestKit

@testable import WaybillStore

@Suite("The machine's files")
struct LocalFileSystemTests {
    private func code(_ body: () throws -> Void) -> FileSystemError.Code? {
        do {
            try body()
            return nil
        } catch {
            return (error as? FileSystemError)?.code
        }
    }

    @Test("no link is followed, in the middle or at the end of a path")
    func links() throws {
        let scratch = try ScratchDirectory()
        try scratch.directory.createDirectories("real")
        try scratch.directory.write([7], toNew: "real/f", durability: .relaxed)
        #expect(symlink("real", scratch.path.appending("way").string) == 0)
        #expect(symlink("f", scratch.path.appending("real/end").string) == 0)
        #expect(code { _ = try scratch.directory.read("way/f", limit: 1) } == .isLink)
        #expect(code { _ = try scratch.directory.read("real/end", limit: 1) } == .isLink)
        #expect(code { _ = try scratch.directory.status("way/f") } == .isLink)
        #expect(code { _ = try scratch.directory.openDirectory("way") } == .isLink)
        #expect(try scratch.directory.status("real/end")?.kind == .link)
    }

    @Test("a FIFO under an expected name does not hang its reader")
    func fifo() throws {
        let scratch = try ScratchDirectory()
        #expect(mkfifo(scratch.path.appending("f").string, 0o600) == 0)
        #expect(code { _ = try scratch.directory.read("f", limit: 1) } == .wrongKind)
    }

    @Test("names that are no UTF-8 are listed and opened as they are")
    func bytes() throws {
        let scratch = try ScratchDirectory()
        let name = try #require(FilePath.Component(bytes: [0xFF, 0x0A, 0x41]))
        try scratch.directory.write([1], toNew: FilePath(root: nil, [name]), durability: .relaxed)
        #expect(try scratch.directory.entries(FilePath(), limit: 9)?.map(\.name.bytes) == [[0xFF, 0x0A, 0x41]])
        #expect(try scratch.directory.read(FilePath(root: nil, [name]), limit: 9) == [1])
    }

    @Test("descriptors do not pass to other programs")
    func closeOnExec() throws {
        let scratch = try ScratchDirectory()
        let file = try #require(try scratch.directory.create("f", permissions: 0o600) as? LocalFile)
        #expect(file.isCloseOnExec)
    }

    @Test("a lock goes with its handle, whoever has a copy of the descriptor")
    func copiedDescriptor() throws {
        let scratch = try ScratchDirectory()
        let first = try scratch.directory.create("f", permissions: 0o600)
        try first.lock()
        // What a new child has until it starts its program.
        let locked = try first.status()
        let descriptor = try #require(
            (0..<1_024 as Range<CInt>).first { descriptor in
                var status = stat()
                return fstat(descriptor, &status) == 0 && FileStatus(status).isSameFile(as: locked)
            })
        let copy = fcntl(descriptor, F_DUPFD_CLOEXEC, 0)
        #expect(copy >= 0)
        defer { close(copy) }
        first.close()
        let second = try #require(try scratch.directory.open("f", .readWrite))
        #expect(code { try second.lock() } == nil)
    }

    @Test("who holds a lock is named")
    func owner() throws {
        let scratch = try ScratchDirectory()
        let first = try scratch.directory.create("f", permissions: 0o600)
        let second = try #require(try scratch.directory.open("f", .readWrite))
        try first.lock()
        do {
            try second.lock()
            Issue.record("two handles have the lock")
        } catch {
            #expect(error.owner?.processID == getpid())
            #expect(error.owner?.command != nil)
        }
    }

    @Test("network and unknown file systems are refused by name")
    func fileSystems() {
        #expect(KnownFileSystems.type(magic: 0x6969) == FileSystemType(name: "nfs", isSuitable: false))
        #expect(KnownFileSystems.type(magic: 0x1234_5678) == FileSystemType(name: "0x12345678", isSuitable: false))
        #expect(KnownFileSystems.type(magic: 0xEF53) == FileSystemType(name: "ext4", isSuitable: true))
    }

    @Test("errors say what, where and why")
    func messages() {
        let error = FileSystemError(errno: .noSpace, "write", "/t/ledger.jsonl")
        #expect(error.code == .noSpace)
        #expect(error.description == "cannot write /t/ledger.jsonl: No space left on device")
        let owner = LockOwner(processID: 12, command: "waybill")
        let locked = FileSystemError(.locked, "lock", "/t/x", owner: owner)
        #expect(locked.description == "cannot lock /t/x: it is locked, held by process 12 (waybill)")
    }
}

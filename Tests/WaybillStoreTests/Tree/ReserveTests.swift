import SystemPackage
import Testing
import WaybillPorts
import WaybillStore
import WaybillTestKit

@Suite("The reserve of a tree")
struct ReserveTests {
    private let system = MemoryFileSystem()
    private let full = StoreError(FileSystemError(.noSpace, "write", "ledger.jsonl"))

    /// One that is whole.
    private func reserve() throws -> (Reserve, any Directory) {
        let caches = try system.root()
        let reserve = Reserve(in: caches, size: 1 << 20)
        try reserve.fill()
        return (reserve, caches)
    }

    @Test("is a file of its size")
    func size() throws {
        let (_, caches) = try reserve()
        #expect(Reserve.left(in: caches) == 1 << 20)
        #expect(try caches.status("reserve")?.permissions == 0o600)
        #expect(Reserve.left(in: try MemoryFileSystem().root()) == nil)
    }

    @Test("lends nothing to what finds room, or fails for another reason")
    func unneeded() throws {
        let (reserve, caches) = try reserve()
        #expect(try reserve.lend { () throws(StoreError) in 7 } == 7)
        #expect(throws: StoreError(.changedBehind, "x")) {
            try reserve.lend { () throws(StoreError) in throw StoreError(.changedBehind, "x") }
        }
        #expect(Reserve.left(in: caches) == 1 << 20)
    }

    @Test("lends a piece at a time, and takes back as many blocks as there are")
    func lending() throws {
        let (reserve, caches) = try reserve()
        // The disk has two blocks left, and who asks for everything gets none.
        nonisolated(unsafe) var allocated = 0
        system.setPlan { operation in
            guard operation.kind == .allocate else { return nil }
            allocated += 1
            return (2...3).contains(allocated) ? nil : .fail(.noSpace)
        }
        var tries = 0
        try reserve.lend { () throws(StoreError) in
            tries += 1
            if tries < 3 { throw full }
            #expect(Reserve.left(in: caches) == 14 << 16)
        }
        #expect(Reserve.left(in: caches) == Int64(14 << 16 + 2 * 4_096))
        #expect(throws: FileSystemError.self) { try reserve.fill() }
        system.setPlan(nil)
        try reserve.fill()
        #expect(Reserve.left(in: caches) == 1 << 20)
    }

    @Test("lends until nothing is left of it")
    func exhausted() throws {
        let (reserve, caches) = try reserve()
        system.fail(.allocate, .noSpace)
        var tries = 0
        let error = #expect(throws: StoreError.self) {
            try reserve.lend { () throws(StoreError) in
                tries += 1
                throw full
            }
        }
        #expect(error == full)
        #expect(tries == 17)
        #expect(Reserve.left(in: caches) == 0)
    }

    @Test("is done without where the disk sets no room apart")
    func unsupported() throws {
        let reserve = Reserve(in: try system.root())
        system.fail(.allocate, .unsupported)
        try reserve.fill()
        system.fail(.allocate, .noSpace)
        #expect(throws: FileSystemError.self) { try reserve.fill() }
    }
}

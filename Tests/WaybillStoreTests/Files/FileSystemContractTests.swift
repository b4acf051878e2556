import Synchronization
import SystemPackage
import Testing
import WaybillPorts
import WaybillStore
import WaybillTestKit

@Suite("Every form of the file-system port")
struct FileSystemContractTests {
    private func code(_ body: () throws -> Void) -> FileSystemError.Code? {
        do {
            try body()
            return nil
        } catch {
            return (error as? FileSystemError)?.code
        }
    }

    @Test("reads back what was written, and answers nil for what is missing", arguments: Volume.allCases)
    func reading(_ volume: Volume) throws {
        let (folder, keep) = try volume.make()
        defer { withExtendedLifetime(keep) {} }
        try folder.write(Array("hello".utf8), toNew: "a", durability: .full)
        #expect(try folder.read("a", limit: 5) == Array("hello".utf8))
        #expect(try folder.read("b", limit: 5) == nil)
        #expect(try folder.read("no/b", limit: 5) == nil)
        #expect(try folder.openDirectory("no") == nil)
        #expect(try folder.listing("no") == nil)
        #expect(try folder.status("no") == nil)
        #expect(try folder.remove("no") == false)
        #expect(try folder.removeDirectory("no") == false)
        #expect(code { _ = try folder.read("a", limit: 4) } == .tooLarge)
        #expect(code { try folder.write([], toNew: "a", durability: .full) } == .exists)
        #expect(code { try folder.write([], toNew: "no/a", durability: .full) } == .notFound)
    }

    @Test("reads and writes at offsets, and cuts", arguments: Volume.allCases)
    func offsets(_ volume: Volume) throws {
        let (folder, keep) = try volume.make()
        defer { withExtendedLifetime(keep) {} }
        let file = try folder.create("f", permissions: 0o600)
        try file.writeFully(Array("abcdef".utf8), at: 0)
        try file.writeFully(Array("XY".utf8), at: 2)
        try file.synchronize()
        #expect(try file.read(at: 1, count: 4) == Array("bXYe".utf8))
        #expect(try file.read(at: 5, count: 10) == Array("f".utf8))
        try file.truncate(to: 3)
        #expect(try file.status().size == 3)
        #expect(try folder.read("f", limit: 10) == Array("abX".utf8))
        file.close()
        #expect(code { _ = try file.status() } == .closed)
    }

    @Test("says when a lock is free, or that it cannot", arguments: Volume.allCases)
    func unlocking(_ volume: Volume) async throws {
        let (folder, keep) = try volume.make()
        defer { withExtendedLifetime(keep) {} }
        let holder = try folder.create("l", permissions: 0o600)
        try holder.lock()
        let other = try #require(try folder.open("l", .readWrite))
        let isReleased = Mutex(false)
        let news = AsyncStream.makeStream(of: Bool.self)
        let isHeard = other.whenUnlocked { news.continuation.yield(isReleased.withLock { $0 }) }
        #expect(isHeard == (volume == .local))
        guard isHeard else { return }
        isReleased.withLock { $0 = true }
        holder.close()
        #expect(await news.stream.first { _ in true } == true)
        try other.lock()
    }

    @Test("takes room for a file, which keeps what is in it", arguments: Volume.allCases)
    func allocation(_ volume: Volume) throws {
        let (folder, keep) = try volume.make()
        defer { withExtendedLifetime(keep) {} }
        let file = try folder.create("f", permissions: 0o600)
        try file.writeFully(Array("ab".utf8), at: 0)
        try file.allocate(5)
        #expect(try folder.read("f", limit: 10) == Array("ab".utf8) + [0, 0, 0])
        try file.allocate(1)
        #expect(try file.status().size == 5)
        file.close()
        #expect(code { try file.allocate(9) } == .closed)
    }

    @Test("replaces a file whole, and leaves no temporary", arguments: Volume.allCases)
    func replacing(_ volume: Volume) throws {
        let (folder, keep) = try volume.make()
        defer { withExtendedLifetime(keep) {} }
        try folder.replace("a", with: Array("one".utf8), durability: .full)
        try folder.replace("a", with: Array("two".utf8), durability: .relaxed)
        #expect(try folder.read("a", limit: 9) == Array("two".utf8))
        #expect(try folder.entries(FilePath(), limit: 9)?.map(\.name.string) == ["a"])
        #expect(try folder.status("a")?.permissions == 0o600)
    }

    @Test("makes folders with exactly the permissions asked for", arguments: Volume.allCases)
    func folders(_ volume: Volume) throws {
        let (folder, keep) = try volume.make()
        defer { withExtendedLifetime(keep) {} }
        #expect(try folder.createDirectory("d", permissions: 0o3770))
        #expect(try folder.createDirectory("d", permissions: 0o700) == false)
        #expect(try folder.status("d")?.permissions == 0o3770)
        try folder.createDirectories("x/y/z")
        #expect(try folder.status("x/y/z")?.kind == .directory)
        try folder.write([], toNew: "f", durability: .relaxed)
        #expect(code { _ = try folder.createDirectory("f", permissions: 0o700) } == .exists)
        #expect(code { _ = try folder.createDirectory("no/d", permissions: 0o700) } == .notFound)
        #expect(code { _ = try folder.removeDirectory("x") } == .notEmpty)
        #expect(code { _ = try folder.remove("x") } == .wrongKind)
        #expect(try folder.removeDirectory("x/y/z"))
    }

    @Test("renames within and across folders, over others or not", arguments: Volume.allCases)
    func renaming(_ volume: Volume) throws {
        let (folder, keep) = try volume.make()
        defer { withExtendedLifetime(keep) {} }
        try folder.createDirectories("d")
        let other = try #require(try folder.openDirectory("d"))
        try folder.write([1], toNew: "a", durability: .relaxed)
        try folder.write([2], toNew: "b", durability: .relaxed)
        #expect(code { try folder.rename("a", to: "b", in: nil, replacing: false) } == .exists)
        try folder.rename("a", to: "b")
        #expect(try folder.read("b", limit: 1) == [1])
        #expect(code { try folder.rename("a", to: "c") } == .notFound)
        try folder.rename("b", to: "c", in: other, replacing: false)
        #expect(try folder.read("d/c", limit: 1) == [1])
        #expect(code { try folder.rename("d/c", to: "no/c") } == .notFound)
    }

    @Test("opens nothing outside the folder", arguments: Volume.allCases)
    func beneath(_ volume: Volume) throws {
        let (folder, keep) = try volume.make()
        defer { withExtendedLifetime(keep) {} }
        try folder.createDirectories("d")
        let inner = try #require(try folder.openDirectory("d"))
        for path: FilePath in ["..", "../d", "/etc/passwd", "x/../../d"] {
            #expect(code { _ = try inner.read(path, limit: 9) } == .escapes, "\(path)")
            #expect(code { _ = try inner.create(path, permissions: 0o600) } == .escapes, "\(path)")
            #expect(code { _ = try inner.status(path) } == .escapes, "\(path)")
            #expect(code { try inner.rename(path, to: "y") } == .escapes, "\(path)")
        }
    }

    @Test("lists names in slices, and names of any bytes", arguments: Volume.allCases)
    func listing(_ volume: Volume) throws {
        let (folder, keep) = try volume.make()
        defer { withExtendedLifetime(keep) {} }
        let names = try (0..<1_000).map { try #require(FilePath.Component("f\($0)")) }
        for name in names { try folder.write([], toNew: FilePath(root: nil, [name]), durability: .relaxed) }
        let listing = try #require(try folder.listing(FilePath()))
        var seen: [FilePath.Component] = []
        while true {
            let batch = try listing.next(limit: 7)
            if batch.isEmpty { break }
            #expect(batch.count <= 7)
            seen += batch.map(\.name)
        }
        #expect(Set(seen) == Set(names))
        #expect(seen.count == 1_000)
        #expect(code { _ = try folder.entries(FilePath(), limit: 999) } == .tooLarge)
    }

    @Test("a lock is had by one handle, and goes with it", arguments: Volume.allCases)
    func locks(_ volume: Volume) throws {
        let (folder, keep) = try volume.make()
        defer { withExtendedLifetime(keep) {} }
        let first = try folder.create("f", permissions: 0o600)
        let second = try #require(try folder.open("f", .readWrite))
        try first.lock()
        #expect(code { try second.lock() } == .locked)
        try first.unlock()
        try second.lock()
        #expect(code { try first.lock() } == .locked)
        second.close()
        try first.lock()
    }

    @Test("presence is seen by others only, and goes with the handle", arguments: Volume.allCases)
    func presence(_ volume: Volume) throws {
        let (folder, keep) = try volume.make()
        defer { withExtendedLifetime(keep) {} }
        let first = try folder.create("f", permissions: 0o600)
        let second = try #require(try folder.open("f", .readWrite))
        let asking = try #require(try folder.open("f", .read))
        #expect(try asking.hasPresence() == false)
        try first.markPresence()
        try second.markPresence()
        #expect(try asking.hasPresence())
        first.close()
        #expect(try asking.hasPresence())
        second.close()
        #expect(try asking.hasPresence() == false)
    }

    @Test("removes trees, however deep", arguments: Volume.allCases)
    func removingTrees(_ volume: Volume) throws {
        let (folder, keep) = try volume.make()
        defer { withExtendedLifetime(keep) {} }
        try folder.createDirectories("t/a/b/c")
        try folder.createDirectories("t/d/b")
        try folder.write([1], toNew: "t/a/b/f", durability: .relaxed)
        // Deeper than a path can be: every level is made from the one above.
        var level = try #require(try folder.openDirectory("t/a/b/c"))
        let name = FilePath(String(repeating: "n", count: 120))
        for _ in 0..<50 {
            _ = try level.createDirectory(name, permissions: 0o700)
            level = try #require(try level.openDirectory(name))
        }
        #expect(try folder.removeTree("t"))
        #expect(try folder.status("t") == nil)
        #expect(try folder.removeTree("t") == false)
    }

    @Test("the file system is named and suitable", arguments: Volume.allCases)
    func suitability(_ volume: Volume) throws {
        let (folder, keep) = try volume.make()
        defer { withExtendedLifetime(keep) {} }
        #expect(try folder.fileSystemType().isSuitable)
    }
}

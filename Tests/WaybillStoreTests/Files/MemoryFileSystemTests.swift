import SystemPackage
import Testing
import WaybillPorts
import WaybillTestKit

@Suite("Files in memory")
struct MemoryFileSystemTests {
    @Test("a crash loses content and names that were not synced")
    func loses() throws {
        let system = MemoryFileSystem()
        let folder = try system.root()
        try folder.write(Array("kept".utf8), toNew: "kept", durability: .full)
        try folder.synchronize()
        try folder.write(Array("content lost".utf8), toNew: "empty", durability: .relaxed)
        try folder.synchronize()
        try folder.write(Array("name lost".utf8), toNew: "gone", durability: .full)
        system.crash()
        let after = try system.root()
        #expect(try after.read("kept", limit: 99) == Array("kept".utf8))
        #expect(try after.read("empty", limit: 99) == [])
        #expect(try after.read("gone", limit: 99) == nil)
        #expect(throws: FileSystemError.self) { try folder.read("kept", limit: 99) }
    }

    @Test("a crash may keep any of what was not synced, torn at any byte")
    func keeps() throws {
        for length in 4...8 {
            let system = MemoryFileSystem()
            let folder = try system.root()
            try folder.write(Array("good".utf8), toNew: "f", durability: .full)
            try folder.synchronize()
            let file = try #require(try folder.open("f", .readWrite))
            try file.writeFully(Array("more".utf8), at: 4)
            system.crash { _ in .torn(length: length) }
            #expect(try system.root().read("f", limit: 99) == Array("goodmore".utf8.prefix(length)))
        }
    }

    @Test("a rename survives a crash whole or not at all")
    func renames() throws {
        for survival in [MemoryFileSystem.Survival.lost, .kept] {
            let system = MemoryFileSystem()
            let folder = try system.root()
            try folder.write([1], toNew: "old", durability: .full)
            try folder.synchronize()
            try folder.rename("old", to: "new")
            system.crash { _ in survival }
            let names = try system.root().entries(FilePath(), limit: 9)?.map(\.name.string)
            if case .kept = survival { #expect(names == ["new"]) } else { #expect(names == ["old"]) }
        }
    }

    @Test("what a failed sync lost stays lost, although readers see it and a later sync succeeds")
    func failedSync() throws {
        let system = MemoryFileSystem()
        let folder = try system.root()
        try folder.write(Array("good".utf8), toNew: "f", durability: .full)
        try folder.synchronize()
        let file = try #require(try folder.open("f", .readWrite))
        try file.writeFully(Array("bad".utf8), at: 4)
        system.fail(.sync, .io)
        #expect(throws: FileSystemError.self) { try file.synchronize() }
        system.setPlan(nil)
        try file.synchronize()
        #expect(try folder.read("f", limit: 99) == Array("goodbad".utf8))
        system.crash { _ in .kept }
        #expect(try system.root().read("f", limit: 99) == Array("good".utf8))
    }

    @Test("short and interrupted transfers are completed")
    func shortTransfers() throws {
        let system = MemoryFileSystem()
        let folder = try system.root()
        system.setPlan { operation in
            guard operation.kind == .write || operation.kind == .read else { return nil }
            return operation.number.isMultiple(of: 2) ? .fail(.interrupted) : .short(3)
        }
        let bytes = Array("a text of some length".utf8)
        try folder.write(bytes, toNew: "f", durability: .full)
        #expect(try folder.read("f", limit: 99) == bytes)
    }

    @Test("after a halt nothing works until the machine is back")
    func halt() throws {
        let system = MemoryFileSystem()
        let folder = try system.root()
        system.setPlan { $0.kind == .create ? .halt : nil }
        #expect(throws: FileSystemError.self) { try folder.create("f", permissions: 0o600) }
        system.setPlan(nil)
        #expect(throws: FileSystemError.self) { try folder.status("f") }
        system.crash()
        #expect(try system.root().status("f") == nil)
    }
}

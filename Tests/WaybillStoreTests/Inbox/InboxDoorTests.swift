import Glibc
import Synchronization
import SystemPackage
import Testing
import WaybillCore
import WaybillPorts
import WaybillTestKit

@testable import WaybillStore

@Suite("The inbox's door")
struct InboxDoorTests {
    private let scratch: ScratchDirectory
    private let door: InboxDoor

    init() throws {
        scratch = try ScratchDirectory()
        door = InboxDoor(scratch.directory, userName: { "user\($0)" })
    }

    private func path(_ name: String) -> String { scratch.path.appending(name).string }

    private func drop(_ name: String, _ text: String) throws {
        try scratch.directory.write(Array(text.utf8), toNew: FilePath(name), durability: .relaxed)
    }

    private func claim(_ name: String) throws -> ClaimedFile? { try door.claim(component(name)) }

    private func component(_ name: String) throws -> FilePath.Component {
        try #require(FilePath.Component(name))
    }

    @Test("a file is claimed once, and read with its owner and the time of its change")
    func claims() throws {
        try drop("approve.json", "yes")
        let before = try #require(try scratch.directory.status("approve.json"))
        let file = try #require(try claim("approve.json"))
        #expect(file.bytes == Array("yes".utf8))
        #expect(file.sha256 == .sha256("yes"))
        #expect(file.user == "user\(getuid())")
        #expect(file.changed == before.changed)
        #expect(file.status.size == 3)
        #expect(try claim("approve.json") == nil)
        #expect(try scratch.directory.status("approve.json") == nil)
        #expect(try door.leftovers() == [file.claimedName])
        try door.discard(file)
        #expect(try door.leftovers().isEmpty)
    }

    @Test("what is no regular file of one name is refused without being opened")
    func types() throws {
        try drop("target", "secret")
        #expect(symlink("target", path("link")) == 0)
        #expect(symlink("/dev/zero", path("dev")) == 0)
        #expect(mkfifo(path("fifo"), 0o666) == 0)
        #expect(mkdir(path("folder"), 0o777) == 0)
        try drop("hard", "two names")
        #expect(link(path("hard"), path("hard2")) == 0)
        let messages = [
            "link": "it is a symbolic link, not a regular file", "dev": "it is a symbolic link, not a regular file",
            "fifo": "it is a FIFO, not a regular file", "folder": "it is a folder, not a regular file",
            "hard": "it has 2 names (hard links) instead of one",
        ]
        for (name, message) in messages {
            let file = try #require(try claim(name))
            #expect(file.refusal == .init(kind: .type, message: message))
            #expect(file.bytes == nil)
        }
    }

    @Test("a device is refused without being opened")
    func device() throws {
        let system = MemoryFileSystem()
        try system.place(.device, at: "/zero")
        try system.place(.socket, at: "/socket")
        let opened = Recorder()
        system.setPlan { $0.kind == .open ? opened.note($0) : nil }
        let door = InboxDoor(try system.root())
        #expect(try door.claim("zero")?.refusal?.message == "it is a device, not a regular file")
        #expect(try door.claim("socket")?.refusal?.message == "it is a socket, not a regular file")
        #expect(opened.all.isEmpty)
    }

    @Test("a file of 1 GB is refused by its size, and none of it is read")
    func huge() throws {
        let file = try scratch.directory.create("big.json", permissions: 0o600)
        try file.truncate(to: 1 << 30)
        let claimed = try #require(try claim("big.json"))
        #expect(claimed.refusal?.kind == .size)
        #expect(claimed.refusal?.message == "it has 1073741824 bytes, and at most 1048576 are read")
        #expect(claimed.sha256 == nil)
    }

    @Test("a file of exactly the limit is read, one byte more is not")
    func limit() throws {
        let door = InboxDoor(scratch.directory, limits: InboxLimits(fileSize: 4))
        try drop("a", "1234")
        try drop("b", "12345")
        #expect(try door.claim("a")?.bytes == Array("1234".utf8))
        #expect(try door.claim("b")?.refusal?.kind == .size)
    }

    @Test("names of any bytes are claimed, and escaped where people read them")
    func names() throws {
        let names: [([UInt8], String)] = [
            (Array("a\nb.json".utf8), "a%0Ab.json"), ([0xFF, 0x41, 0x1B], "%FFA%1B"), (Array("50%".utf8), "50%25"),
            (Array("été.json".utf8), "été.json"),
        ]
        for (bytes, escaped) in names {
            let name = try #require(FilePath.Component(bytes: bytes))
            try scratch.directory.write([1], toNew: FilePath(root: nil, [name]), durability: .relaxed)
            let file = try #require(try door.claim(name))
            #expect(file.escapedName == escaped)
            #expect(file.bytes == [1])
        }
        let long = try #require(FilePath.Component(String(repeating: "é", count: 127)))
        try scratch.directory.write([1], toNew: FilePath(root: nil, [long]), durability: .relaxed)
        let file = try #require(try door.claim(long))
        #expect(file.name == long)
        #expect(InboxName.short(long).utf8.count <= InboxName.longest)
    }

    @Test("a start request keeps the name it is claimed under, and no other takes it")
    func fixedNames() throws {
        try drop("a.json", "1")
        try drop("b.json", "2")
        let name: FilePath.Component = "release-1.json"
        var file = try #require(try door.claim("a.json"))
        var other = try #require(try door.claim("b.json"))
        try door.rename(&file, as: name)
        #expect(file.claimedName == name)
        #expect(throws: FileSystemError.self) { try door.rename(&other, as: name) }
        #expect(try door.reclaim(other.claimedName)?.bytes == Array("2".utf8))
        #expect(try door.reclaim(name)?.bytes == Array("1".utf8))
    }

    @Test("a leftover is found again with its name and the time of its change")
    func leftovers() throws {
        try drop("approve.json", "yes")
        let file = try #require(try claim("approve.json"))
        let again = try #require(try InboxDoor(scratch.directory).reclaim(file.claimedName))
        #expect(again.name == file.name)
        #expect(again.changed == file.changed)
        #expect(again.bytes == file.bytes)
        #expect(try door.reclaim("nothing") == nil)
    }

    @Test("files of the same name and microsecond are kept apart")
    func sameName() throws {
        let system = MemoryFileSystem()
        let folder = try system.root()
        let door = InboxDoor(folder)
        for text in ["one", "two"] {
            try folder.write(Array(text.utf8), toNew: "a.json", durability: .relaxed)
            #expect(try door.claim("a.json")?.bytes == Array(text.utf8))
        }
        #expect(try door.leftovers().count == 2)
    }

    @Test("whose a file is, and who may write it, is asked of what is read, not of the name that was looked at before")
    func descriptor() throws {
        try drop("a.json", "yes")
        let directory = scratch.directory
        let folder = scratch.path
        let isChanged = Mutex(false)
        let door = InboxDoor(directory) { _ in
            // Between the look and the reading, once.
            let names = isChanged.withLock { isChanged in
                defer { isChanged = true }
                return isChanged ? [] : (try? InboxDoor(directory).leftovers()) ?? []
            }
            for name in names {
                chmod(folder.appending(".claimed").appending(name).string, 0o666)
            }
            return nil
        }
        let file = try #require(try door.claim("a.json"))
        #expect(file.bytes == Array("yes".utf8))
        #expect(file.status.permissions == 0o666)
    }

    @Test("what was claimed goes into no folder that others made, or may write to")
    func foreignFolder() throws {
        try drop("a.json", "yes")
        #expect(mkdir(path(".claimed"), 0o777) == 0)
        #expect(chmod(path(".claimed"), 0o777) == 0)
        let door = InboxDoor(scratch.directory, keeper: getuid())
        #expect(throws: FileSystemError.self) { try door.claim("a.json") }
        #expect(chmod(path(".claimed"), 0o700) == 0)
        #expect(try door.claim("a.json")?.bytes == Array("yes".utf8))
    }

    @Test("what one process claims after another one was killed as it made the folder survives the power")
    func halfMadeFolder() throws {
        for number in 1..<12 {
            let disk = MemoryDisk()
            let first = MemoryFileSystem(disk, process: 1, mark: "1")
            try first.root().write(Array("yes".utf8), toNew: "a.json", durability: .full)
            try first.root().synchronize()
            let limit = disk.withVolume { $0.operationCount } + number
            disk.withVolume { $0.plan = { $0.number == limit ? .kill : nil } }
            _ = try? InboxDoor(first.root()).claim("a.json")
            first.kill()
            disk.withVolume { $0.plan = nil }
            let second = MemoryFileSystem(disk, process: 2, mark: "2")
            let door = InboxDoor(try second.root())
            if try door.leftovers().isEmpty {
                #expect(try door.claim("a.json") != nil, "killed at operation \(number)")
            }
            let permissions = try second.root().status(".claimed")?.permissions
            #expect(permissions == 0o700, "killed at operation \(number)")
            // The folder has to be there afterwards, whether the file's new name is or not.
            disk.withVolume { volume in
                volume.killAll()
                volume.crash { _ in .lost }
            }
            let last = try MemoryFileSystem(disk, process: 3, mark: "3").root()
            #expect(try last.status(".claimed") != nil, "killed at operation \(number)")
        }
    }

    @Test("a folder that was copied half made, with what had been moved into it meanwhile, is finished")
    func copiedHalfMade() throws {
        try drop("b.json", "no")
        let door = InboxDoor(scratch.directory)
        let earlier = try #require(try claim("b.json"))
        #expect(chmod(path(".claimed"), mode_t(InboxDoor.unfinished)) == 0)
        try drop("a.json", "yes")
        #expect(try door.claim("a.json")?.bytes == Array("yes".utf8))
        #expect(try door.reclaim(earlier.claimedName)?.bytes == Array("no".utf8))
        #expect(try scratch.directory.status(".claimed")?.permissions == 0o700)
    }

    @Test("a folder that was made before the first file came survives the power, and costs that file no sync")
    func prepared() throws {
        let disk = MemoryDisk()
        let system = MemoryFileSystem(disk, process: 1, mark: "1")
        try InboxDoor(system.root()).prepare()
        disk.withVolume { volume in
            volume.killAll()
            volume.crash { _ in .lost }
        }
        let root = try MemoryFileSystem(disk, process: 2, mark: "2").root()
        #expect(try root.status(".claimed")?.permissions == 0o700)
        try root.write(Array("yes".utf8), toNew: "a.json", durability: .full)
        disk.withVolume { $0.plan = { $0.kind == .syncFolder || $0.kind == .sync ? .kill : nil } }
        #expect(try InboxDoor(root).claim("a.json")?.bytes == Array("yes".utf8))
    }

    @Test("a signature is told by its name, from what it signs")
    func signatures() throws {
        #expect(try component("approve.json.sig").signedName == component("approve.json"))
        #expect(try component("approve.json").signedName == nil)
        #expect(try component(".sig").signedName == nil)
        #expect(try component("approve.json").signatureName == component("approve.json.sig"))
        #expect(try component(String(repeating: "x", count: 255)).signatureName == nil)
    }

    @Test("a file that changes while it is read is read again, and refused if it does not stop")
    func changing() throws {
        let system = MemoryFileSystem()
        let folder = try system.root()
        try folder.write(Array("first".utf8), toNew: "a", durability: .relaxed)
        let writing = try #require(try folder.open("a", .readWrite))
        let door = InboxDoor(folder)
        let file = try #require(try door.claim("a"))
        try writing.writeFully(Array("later".utf8), at: 0)
        // What was read is what counts.
        #expect(file.bytes == Array("first".utf8))
    }
}

@Suite("Scans of an inbox")
struct InboxScanTests {
    private let system = MemoryFileSystem()

    @Test("hidden, temporary and backup names, and the door's own folders, are passed over")
    func ignored() throws {
        let folder = try system.root()
        for name in [".hidden", "x.tmp", "x~", "yes.json", "x.tmp.json"] {
            try folder.write([], toNew: FilePath(name), durability: .relaxed)
        }
        try folder.createDirectories("accepted")
        try folder.createDirectories("rejected")
        try folder.createDirectories(".claimed")
        let scan = try InboxDoor(folder).scan()
        let found = try scan.next(limit: 99, now: system.now)
        #expect(found?.map(\.name.string) == ["x.tmp.json", "yes.json"])
        #expect(try scan.next(limit: 99, now: system.now) == nil)
    }

    @Test("a file is ready after a second without change, by the kernel's clock")
    func quiet() throws {
        let folder = try system.root()
        try folder.write([], toNew: "a", durability: .relaxed)
        let changed = system.now
        func readyAt(_ now: Timestamp) throws -> Timestamp? {
            try InboxDoor(folder).scan().next(limit: 9, now: now)?.first?.readyAt
        }
        #expect(try readyAt(changed) == changed + .seconds(1))
        #expect(try readyAt(changed + .seconds(5)) == changed + .seconds(1))
        // The clock was set back by an hour: waiting for it would take an hour.
        let earlier = changed - .seconds(3_600)
        #expect(try readyAt(earlier) == earlier)
    }

    @Test("what is never written in place is ready at once")
    func instant() throws {
        try system.place(.link, at: "/a")
        let scan = try InboxDoor(system.root()).scan()
        #expect(try scan.next(limit: 9, now: system.now)?.first?.readyAt == system.now)
    }

    @Test("many files are seen in slices")
    func slices() throws {
        let scratch = try ScratchDirectory()
        for number in 0..<2_500 {
            try scratch.directory.create(FilePath("junk\(number)"), permissions: 0o600).close()
        }
        let scan = try InboxDoor(scratch.directory).scan()
        var seen = 0
        while let batch = try scan.next(limit: 100, now: .latest) {
            #expect(batch.count <= 100)
            seen += batch.count
        }
        #expect(seen == 2_500)
    }

    @Test("a missing inbox is an empty one")
    func missing() throws {
        let scratch = try ScratchDirectory()
        try scratch.directory.createDirectories("inbox")
        let inbox = try #require(try scratch.directory.openDirectory("inbox"))
        _ = try scratch.directory.removeDirectory("inbox")
        #expect(try InboxDoor(inbox).scan().next(limit: 1, now: .latest) == nil)
        #expect(try InboxDoor(inbox).leftovers().isEmpty)
    }
}

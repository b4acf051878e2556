import Glibc
import SystemPackage
import Testing
import WaybillPorts
import WaybillTestKit
import WaybillWatching

@Suite("The inotify watcher")
final class InotifyWatcherTests: Sendable {
    let folder = ScratchFolder()
    let log = EventLog<WatchEvent>()
    let watcher: InotifyWatcher

    init() throws {
        watcher = try InotifyWatcher()
        watcher.start { [log] events in
            for event in events { log.add(event) }
        }
    }

    deinit { watcher.stop() }

    /// What was heard up to a file that is created as the last.
    private func heard(in directory: FilePath? = nil) async -> [WatchEvent] {
        let marker = (directory ?? folder.path).appending("zz-marker")
        close(open(marker.string, O_CREAT | O_WRONLY | O_CLOEXEC, 0o600))
        let events = await log.events { $0.kind == .closedAfterWrite && $0.text == "zz-marker" }
        return events.filter { $0.text != "zz-marker" }
    }

    private func move(_ name: String, to target: FilePath) {
        #expect(rename(folder.file(name).string, target.string) == 0)
    }

    @Test("tells what was moved in from what was written in place")
    func arrivals() async throws {
        folder.makeFolder("inbox")
        let inbox = folder.file("inbox")
        let id = try watcher.watch(inbox, for: .arrivals)
        folder.write("aside", "answer")
        move("aside", to: inbox.appending("moved"))
        folder.write("inbox/written", "answer")
        folder.makeFolder("inbox/folder")
        #expect(link(inbox.appending("moved").string, inbox.appending("linked").string) == 0)
        chmod(inbox.appending("moved").string, 0o644)
        unlink(inbox.appending("moved").string)
        #expect(
            await heard(in: inbox) == [
                WatchEvent(watch: id, kind: .movedIn, name: Array("moved".utf8)),
                WatchEvent(watch: id, kind: .created, name: Array("written".utf8)),
                WatchEvent(watch: id, kind: .closedAfterWrite, name: Array("written".utf8)),
                WatchEvent(watch: id, kind: .created, name: Array("folder".utf8), isDirectory: true),
                WatchEvent(watch: id, kind: .created, name: Array("linked".utf8)),
            ])
    }

    @Test("tells also what goes and what changes, where it is asked to")
    func changes() async throws {
        folder.write("one", "1")
        folder.write("two", "2")
        let id = try watcher.watch(folder.path, for: .everything)
        chmod(folder.file("one").string, 0o400)
        unlink(folder.file("one").string)
        let elsewhere = ScratchFolder()
        move("two", to: elsewhere.file("two"))
        #expect(
            await heard() == [
                WatchEvent(watch: id, kind: .attribute, name: Array("one".utf8)),
                WatchEvent(watch: id, kind: .deleted, name: Array("one".utf8)),
                WatchEvent(watch: id, kind: .deleted, name: Array("two".utf8)),
            ])
    }

    @Test("passes names on that are not text")
    func bytes() async throws {
        let id = try watcher.watch(folder.path, for: .arrivals)
        let name: [UInt8] = [0xFF, 0x20, 0x0A]
        let path = (Array(folder.path.string.utf8) + [UInt8(ascii: "/")] + name + [0]).map { CChar(bitPattern: $0) }
        close(open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0o600))
        let events = await heard()
        #expect(events.first == WatchEvent(watch: id, kind: .created, name: name))
        #expect(events.first?.text == nil)
    }

    @Test("watches a folder once, whatever it is called, and changes what is asked")
    func again() async throws {
        let id = try watcher.watch(folder.path, for: .arrivals)
        let alias = FilePath("\(folder.path)/./")
        #expect(try watcher.watch(alias, for: .everything) == id)
        folder.write("file", "")
        unlink(folder.file("file").string)
        #expect(await heard().last == WatchEvent(watch: id, kind: .deleted, name: Array("file".utf8)))
    }

    @Test("says when a folder has gone", arguments: [true, false])
    func gone(isMoved: Bool) async throws {
        folder.makeFolder("watched")
        folder.makeFolder("other")
        let id = try watcher.watch(folder.file("watched"), for: .arrivals)
        _ = try watcher.watch(folder.file("other"), for: .arrivals)
        if isMoved {
            move("watched", to: folder.file("elsewhere"))
            folder.write("elsewhere/unheard", "")
        } else {
            rmdir(folder.file("watched").string)
        }
        #expect(await heard(in: folder.file("other")) == [WatchEvent(watch: id, kind: .watchGone)])
    }

    @Test("is silent about a folder it was told to leave")
    func unwatch() async throws {
        folder.makeFolder("left")
        folder.makeFolder("other")
        let id = try watcher.watch(folder.file("left"), for: .arrivals)
        _ = try watcher.watch(folder.file("other"), for: .arrivals)
        watcher.unwatch(id)
        watcher.unwatch(id)
        folder.write("left/file", "")
        #expect(await heard(in: folder.file("other")) == [])
        // The same folder can be watched again.
        _ = try watcher.watch(folder.file("left"), for: .arrivals)
        #expect(await heard(in: folder.file("left")) == [])
    }

    @Test("says that events were lost")
    func overflow() async throws {
        folder.makeFolder("watched")
        let other = EventLog<WatchEvent>()
        let gate = Gate()
        let watcher = try InotifyWatcher()
        watcher.start { events in
            gate.wait()
            for event in events { other.add(event) }
        }
        let id = try watcher.watch(folder.file("watched"), for: .arrivals)
        // While the receiver stands still, more files come than the kernel keeps events for.
        let limit = folder.limit(of: "/proc/sys/fs/inotify/max_queued_events")
        for number in 0..<(limit / 2 + 2000) {
            close(open(folder.file("watched/\(number)").string, O_CREAT | O_WRONLY | O_CLOEXEC, 0o600))
        }
        gate.open()
        let events = await other.events { $0.kind == .overflow }
        #expect(events.last == WatchEvent(watch: nil, kind: .overflow))
        #expect(events.first == WatchEvent(watch: id, kind: .created, name: Array("0".utf8)))
        watcher.stop()
    }

    @Test("says what it cannot watch and why")
    func errors() throws {
        folder.write("file", "")
        let missing = folder.file("missing")
        let absence = #expect(throws: WatchError.self) { try self.watcher.watch(missing, for: .arrivals) }
        #expect(
            absence
                == WatchError(
                    code: .notFound, message: "cannot watch \(missing): No such file or directory", path: missing,
                    cause: .noSuchFileOrDirectory))
        let file = #expect(throws: WatchError.self) {
            try self.watcher.watch(self.folder.file("file"), for: .arrivals)
        }
        #expect(file?.code == .notADirectory)
        watcher.stop()
        let stopped = #expect(throws: WatchError.self) { try self.watcher.watch(self.folder.path, for: .arrivals) }
        #expect(stopped?.code == .stopped)
    }
}

extension ScratchFolder {
    /// The number that a file of the system holds.
    fileprivate func limit(of path: String) -> Int {
        let file = open(path, O_RDONLY | O_CLOEXEC)
        defer { close(file) }
        var bytes = [UInt8](repeating: 0, count: 32)
        let count = Glibc.read(file, &bytes, bytes.count)
        return Int(String(decoding: bytes[..<max(count, 0)], as: UTF8.self).filter(\.isNumber)) ?? 0
    }
}

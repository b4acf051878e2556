import Glibc
import SystemPackage
import Testing
import WaybillPorts
import WaybillTestKit
import WaybillWatching

@Suite("The watcher of a tree")
struct TreeWatcherTests {
    private let folder = ScratchFolder()
    private let manual = ManualWatcher()

    private func tree(_ watcher: any DirectoryWatcher, limit: Int = 100) -> TreeWatcher {
        TreeWatcher(root: folder.path, watcher: watcher, folderLimit: limit)
    }

    private func names(_ tree: TreeWatcher) -> [String] {
        tree.folders.map { $0.string.dropFirst(folder.path.string.utf8.count) }.map(String.init).sorted()
    }

    @Test("watches all folders but hidden ones and links")
    func folders() {
        for name in ["a", "a/b", "a/b/c", ".git", ".git/objects", "d"] { folder.makeFolder(name) }
        symlink("a", folder.file("link").string)
        folder.write("file.yaml", "")
        let tree = tree(manual)
        tree.refresh()
        #expect(names(tree) == ["", "/a", "/a/b", "/a/b/c", "/d"])
        #expect(tree.problem == nil)
        tree.stop()
        #expect(manual.watched == [])
    }

    @Test("follows a new folder with what is in it already")
    func newFolder() {
        let tree = tree(manual)
        manual.start { events in for event in events { #expect(tree.handle(event) != nil) } }
        tree.refresh()
        folder.makeFolder("new")
        folder.makeFolder("new/inner")
        manual.send(.created, "new", in: folder.path, isDirectory: true)
        #expect(names(tree) == ["", "/new", "/new/inner"])
    }

    @Test("leaves a folder that was moved away, and finds it at its new place")
    func moved() {
        for name in ["a", "a/b", "ab"] { folder.makeFolder(name) }
        let tree = tree(manual)
        manual.start { events in for event in events { #expect(tree.handle(event) != nil) } }
        tree.refresh()
        rename(folder.file("a").string, folder.file("z").string)
        manual.send(.deleted, "a", in: folder.path, isDirectory: true)
        #expect(names(tree) == ["", "/ab"])
        manual.send(.movedIn, "z", in: folder.path, isDirectory: true)
        #expect(names(tree) == ["", "/ab", "/z", "/z/b"])
        #expect(manual.watched.count == 4)
    }

    @Test("looks at everything again after an overflow")
    func overflow() {
        let tree = tree(manual)
        manual.start { events in for event in events { #expect(tree.handle(event) != nil) } }
        folder.makeFolder("gone")
        tree.refresh()
        rmdir(folder.file("gone").string)
        folder.makeFolder("new")
        manual.overflow()
        #expect(names(tree) == ["", "/new"])
        #expect(manual.watched.count == 2)
    }

    @Test("leaves alone what is not its own")
    func foreign() throws {
        let tree = tree(manual)
        tree.refresh()
        let id = try manual.watch("/elsewhere", for: .arrivals)
        #expect(tree.handle(WatchEvent(watch: id, kind: .movedIn, name: Array("file".utf8))) == nil)
    }

    @Test("says when the root is missing or goes, and recovers")
    func root() throws {
        let watcher = try InotifyWatcher()
        let tree = TreeWatcher(root: folder.file("tree"), watcher: watcher)
        tree.refresh()
        #expect(tree.problem?.code == .notFound)
        folder.makeFolder("tree")
        tree.refresh()
        #expect(tree.problem == nil)
        watcher.stop()
    }

    @Test("says when there are more folders than it may watch")
    func limits() {
        for name in ["a", "b", "c"] { folder.makeFolder(name) }
        let small = tree(manual, limit: 3)
        small.refresh()
        #expect(small.problem?.code == .noWatchLeft)
        #expect(small.folders.count == 3)
        small.stop()

        let poor = tree(ManualWatcher(limit: 2))
        poor.refresh()
        #expect(poor.problem?.code == .noWatchLeft)
    }

    @Test("hears of files in folders that came after it began, in the real world")
    func real() async throws {
        let watcher = try InotifyWatcher()
        let tree = tree(watcher)
        let log = EventLog<(name: String, isChange: Bool)>()
        watcher.start { events in
            for event in events { log.add((event.text ?? "", tree.handle(event) != nil)) }
        }
        tree.refresh()
        folder.makeFolder("one")
        _ = await log.events { $0.name == "one" && $0.isChange }
        folder.makeFolder("one/two")
        _ = await log.events { $0.name == "two" && $0.isChange }
        folder.write("one/two/release.yaml", "kind: Workflow\n")
        _ = await log.events { $0.name == "release.yaml" && $0.isChange }

        rename(folder.file("one").string, folder.file("uno").string)
        _ = await log.events { $0.name == "uno" && $0.isChange }
        folder.write("uno/two/backup.yaml", "kind: Workflow\n")
        _ = await log.events { $0.name == "backup.yaml" && $0.isChange }
        #expect(names(tree) == ["", "/uno", "/uno/two"])
        watcher.stop()
    }
}

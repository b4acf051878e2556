import Glibc
import SystemPackage
import Testing
import WaybillStore
import WaybillTestKit

@testable import WaybillRuntime

@Suite("The hooks of a tree")
struct HookCatalogTests {
    private let bench: HookBench
    private let catalog: HookCatalog

    init() throws {
        bench = try HookBench()
        catalog = HookCatalog(root: bench.tree.root, hooks: bench.tree.layout.hooks)
    }

    private func names(_ event: String) -> [String] { catalog.current().matching(event).map(\.name) }

    @Test("a tree without hooks/ has none")
    func none() {
        #expect(catalog.current().isEmpty)
    }

    @Test("an event's own hook comes first, then its folder by name, then any")
    func order() {
        for name in ["any", "any.d/log", "run.ok", "run.ok.d/20-b", "run.ok.d/10-a", "run.end"] {
            bench.hook(name, "")
        }
        #expect(names("run.ok") == ["run.ok", "run.ok.d/10-a", "run.ok.d/20-b", "any", "any.d/log"])
        #expect(names("run.end") == ["run.end", "any", "any.d/log"])
        #expect(names("run.start") == ["any", "any.d/log"])
    }

    @Test("samples, dot files, backups, folders and what is not executable or not named after an event are passed over")
    func passedOver() {
        bench.hook("run.ok", "", mode: 0o600)
        for name in [
            "run.error.sample", ".run.end", "run.begin", "README.md", "run.ok.d/.x", "run.ok.d/x.sample", "run.ok.d/x~",
            "run.end/x", "run.ok.d/sub/x",
        ] { bench.hook(name, "") }
        #expect(catalog.current().isEmpty)
    }

    @Test("a link within hooks/ serves, one that leaves it or leads nowhere does not")
    func links() {
        bench.hook("lib/tell", "")
        bench.folder.write("outside", "#!/bin/sh\n", mode: 0o700)
        for (name, target) in [
            ("run.ok", "lib/tell"), ("run.end", "../outside"), ("run.error", "nowhere"), ("run.start", "/bin/true"),
        ] { symlink(target, bench.folder.path.appending("hooks").appending(name).string) }
        #expect(catalog.current().all.map(\.name) == ["run.ok"])
    }

    @Test("hooks that come, go and become executable are seen")
    func changes() {
        bench.hook("run.ok", "", mode: 0o600)
        #expect(catalog.current().isEmpty)
        chmod(bench.folder.path.appending("hooks/run.ok").string, 0o700)
        #expect(names("run.ok") == ["run.ok"])
        bench.hook("run.ok.d/x", "")
        #expect(names("run.ok") == ["run.ok", "run.ok.d/x"])
        unlink(bench.folder.path.appending("hooks/run.ok").string)
        #expect(names("run.ok") == ["run.ok.d/x"])
    }
}

import SystemPackage
import Testing
import WaybillCore
import WaybillPorts
import WaybillStore
import WaybillTestKit

@Suite("The tree")
struct TreeTests {
    @Test("a daemon is seen while it lives, and by any number of others", arguments: Volume.allCases)
    func presence(_ volume: Volume) throws {
        let (caches, keep) = try volume.make()
        defer { withExtendedLifetime(keep) {} }
        #expect(try TreeLock.isAttended(caches) == false)
        let first = try TreeLock(attending: caches)
        let second = try TreeLock(attending: caches)
        #expect(try TreeLock.isAttended(caches))
        first.release()
        #expect(try TreeLock.isAttended(caches))
        second.release()
        #expect(try TreeLock.isAttended(caches) == false)
    }

    @Test("runs may be elsewhere, relative to the root or absolute")
    func layout() throws {
        let run = try #require(RunID("a-1"))
        #expect(TreeLayout(root: "/t").folder(of: run) == "/t/runs/a-1")
        #expect(TreeLayout(root: "/t", runs: "../data").journal == "/t/../data/journal.jsonl")
        #expect(TreeLayout(root: "/t", runs: "/var/runs").inbox == "/var/runs/inbox")
        #expect(TreeLayout(root: "/t", runs: "/var/runs").daemonLock == "/t/.waybill/daemon.lock")
    }
}

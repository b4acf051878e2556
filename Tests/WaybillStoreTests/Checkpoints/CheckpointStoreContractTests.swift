import Testing
import WaybillCore
import WaybillStore
import WaybillTestKit

@Suite("Every form of the checkpoint store")
struct CheckpointStoreContractTests {
    private let sample = SampleRun()

    private func make(_ form: LedgerForm) throws -> (store: any CheckpointStore, keep: AnyObject) {
        if form == .memory {
            let store = MemoryCheckpointStore()
            return (store, store)
        }
        let (runs, keep) = try (form == .localFiles ? Volume.local : .memory).make()
        try sample.create(in: runs)
        return (FileCheckpointStore(runs: runs), keep)
    }

    @Test("gives the newest that verifies, and names those it passed over", arguments: LedgerForm.allCases)
    func newest(_ form: LedgerForm) throws {
        let (store, keep) = try make(form)
        defer { withExtendedLifetime(keep) {} }
        #expect(try store.newest(run: sample.run, isValid: { _, _ in true })?.seq == nil)
        var digests: [Int: Digest] = [:]
        for seq in [5, 12, 100] { digests[seq] = try store.write([UInt8(seq)], run: sample.run, seq: seq) }
        #expect(try store.numbers(run: sample.run) == [5, 12, 100])
        _ = try store.write([1], run: sample.run, seq: 100)
        var rejected: [Int] = []
        let found = try store.newest(
            run: sample.run, isValid: { digests[$0] == $1 }, rejected: { rejected.append($0) })
        #expect(found?.seq == 12)
        #expect(found?.bytes == [12])
        #expect(rejected == [100])
        #expect(try store.read(run: sample.run, seq: 7) == nil)
    }

    @Test("pruning keeps the newest and the protected", arguments: LedgerForm.allCases)
    func prunes(_ form: LedgerForm) throws {
        let (store, keep) = try make(form)
        defer { withExtendedLifetime(keep) {} }
        for seq in 1...6 { _ = try store.write([UInt8(seq)], run: sample.run, seq: seq) }
        #expect(try store.prune(run: sample.run, keeping: 2, protected: [3]) == [1, 2, 4])
        #expect(try store.numbers(run: sample.run) == [3, 5, 6])
        #expect(try store.prune(run: sample.run, keeping: 9, protected: []).isEmpty)
    }
}

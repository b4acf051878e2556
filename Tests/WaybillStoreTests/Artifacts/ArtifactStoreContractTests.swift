import SystemPackage
import Testing
import WaybillCore
import WaybillPorts
import WaybillStore
import WaybillTestKit

@Suite("Every form of the artifact store")
struct ArtifactStoreContractTests {
    private let sample = SampleRun()
    private let bytes = Array("content".utf8)

    private func make(_ form: LedgerForm) throws -> (store: any ArtifactStore, keep: AnyObject) {
        if form == .memory {
            let store = MemoryArtifactStore()
            return (store, store)
        }
        let (runs, keep) = try (form == .localFiles ? Volume.local : .memory).make()
        try sample.create(in: runs)
        return (FileArtifactStore(runs: runs), keep)
    }

    private func code(_ body: () throws -> Void) -> StoreError.Code? {
        do {
            try body()
            return nil
        } catch {
            return (error as? StoreError)?.code
        }
    }

    @Test("removes content for good, and says whether it was there", arguments: LedgerForm.allCases)
    func removes(_ form: LedgerForm) throws {
        let (store, keep) = try make(form)
        defer { withExtendedLifetime(keep) {} }
        let artifact = try store.put(bytes, run: sample.run)
        #expect(try store.remove(artifact.sha256, run: sample.run))
        #expect(try store.get(artifact.sha256, run: sample.run, limit: 7) == nil)
        #expect(try store.size(of: artifact.sha256, run: sample.run) == nil)
        #expect(try !store.remove(artifact.sha256, run: sample.run))
        #expect(try store.put(bytes, run: sample.run) == artifact)
    }

    @Test("keeps content under its digest, once", arguments: LedgerForm.allCases)
    func keeps(_ form: LedgerForm) throws {
        let (store, keep) = try make(form)
        defer { withExtendedLifetime(keep) {} }
        let artifact = try store.put(bytes, run: sample.run)
        #expect(artifact == Artifact(sha256: .sha256(bytes), size: 7))
        #expect(try store.put(bytes, run: sample.run) == artifact)
        #expect(try store.get(artifact.sha256, run: sample.run, limit: 7) == bytes)
        #expect(try store.size(of: artifact.sha256, run: sample.run) == 7)
        #expect(try store.get(.zero, run: sample.run, limit: 7) == nil)
        #expect(code { _ = try store.get(artifact.sha256, run: sample.run, limit: 6) } == .tooLarge)
        let hex = artifact.sha256.hex
        #expect(artifact.path.string == "artifacts/sha256/\(hex.prefix(2))/\(hex.dropFirst(2))")
    }

    @Test("copies files, up to a size", arguments: LedgerForm.allCases)
    func copies(_ form: LedgerForm) throws {
        let (store, keep) = try make(form)
        defer { withExtendedLifetime(keep) {} }
        let (folder, keepFolder) = try (form == .localFiles ? Volume.local : .memory).make()
        defer { withExtendedLifetime(keepFolder) {} }
        let large = [UInt8](repeating: 7, count: 600_000)
        try folder.write(large, toNew: "large", durability: .relaxed)
        let artifact = try store.put(contentsOf: "large", in: folder, run: sample.run, limit: 600_000)
        #expect(artifact == Artifact(sha256: .sha256(large), size: 600_000))
        #expect(try store.get(artifact.sha256, run: sample.run, limit: 600_000) == large)
        #expect(
            code { _ = try store.put(contentsOf: "large", in: folder, run: sample.run, limit: 599_999) } == .tooLarge)
        #expect(code { _ = try store.put(contentsOf: "no", in: folder, run: sample.run, limit: 9) } == .missing)
    }

    @Test("changed content is not handed out")
    func changed() throws {
        let system = MemoryFileSystem()
        let runs = try system.root()
        try sample.create(in: runs)
        let store = FileArtifactStore(runs: runs)
        let artifact = try store.put(bytes, run: sample.run)
        let folder = try #require(try runs.openDirectory("sample-1"))
        try folder.replace(artifact.path, with: Array("CONTENT".utf8), durability: .relaxed)
        #expect(code { _ = try store.get(artifact.sha256, run: sample.run, limit: 7) } == .mismatch)
    }

    @Test("what was put survives a crash, and a put that failed leaves nothing")
    func durable() throws {
        let system = MemoryFileSystem()
        let runs = try system.root()
        try sample.create(in: runs)
        let artifact = try FileArtifactStore(runs: runs).put(bytes, run: sample.run)
        system.fail(.write, .noSpace)
        #expect(code { _ = try FileArtifactStore(runs: runs).put([1, 2], run: sample.run) } == .noSpace)
        system.crash()
        let after = FileArtifactStore(runs: try system.root())
        #expect(try after.get(artifact.sha256, run: sample.run, limit: 9) == bytes)
        #expect(try after.get(.sha256([1, 2]), run: sample.run, limit: 9) == nil)
    }
}

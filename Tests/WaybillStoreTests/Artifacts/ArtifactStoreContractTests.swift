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

    @Test("keeps many at once, in their order, and the same content once", arguments: LedgerForm.allCases)
    func keepsMany(_ form: LedgerForm) throws {
        let (store, keep) = try make(form)
        defer { withExtendedLifetime(keep) {} }
        let (folder, keepFolder) = try (form == .localFiles ? Volume.local : .memory).make()
        defer { withExtendedLifetime(keepFolder) {} }
        // More than are written at once.
        let contents = (0..<150).map { Array("content \($0 % 100)".utf8) }
        var puts: [ArtifactContent] = []
        for (number, content) in contents.enumerated() {
            try folder.write(content, toNew: FilePath("\(number)"), durability: .relaxed)
            puts.append(
                number.isMultiple(of: 2) ? .bytes(content) : .file(FilePath("\(number)"), in: folder, limit: 99))
        }
        let kept = try store.put(puts, run: sample.run)
        #expect(kept == contents.map { Artifact(sha256: .sha256($0), size: Int64($0.count)) })
        for (content, artifact) in zip(contents, kept) {
            #expect(try store.get(artifact.sha256, run: sample.run, limit: 99) == content)
        }
        #expect(try store.put([], run: sample.run) == [])
    }

    @Test("after a crash at any operation what a put had returned for is there, and what has a name is whole")
    func crashes() throws {
        let contents = (0..<5).map { Array("content \($0)".utf8) }
        var number = 0
        var isThrough = false
        while !isThrough {
            number += 1
            let system = MemoryFileSystem()
            let runs = try system.root()
            try sample.create(in: runs)
            let limit = system.operationCount + number
            system.setPlan { $0.number == limit ? .halt : nil }
            let store = FileArtifactStore(runs: runs)
            var kept = 0
            do {
                _ = try store.put(contents.prefix(2).map { .bytes($0) }, run: sample.run)
                kept = 2
                _ = try store.put(contents.map { .bytes($0) }, run: sample.run)
                kept = 5
                isThrough = true
            } catch {}
            system.crash { _ in .lost }
            let after = FileArtifactStore(runs: try system.root())
            for (index, content) in contents.enumerated() {
                let found = try after.get(.sha256(content), run: sample.run, limit: 99)
                #expect(found == content || index >= kept && found == nil, "halted at \(number): \(index)")
            }
        }
        #expect(number > 40)
    }

    @Test("of several files one that cannot be kept leaves no draft of the others")
    func oneFails() throws {
        let system = MemoryFileSystem()
        let runs = try system.root()
        try sample.create(in: runs)
        try runs.write([1, 2, 3], toNew: "large", durability: .relaxed)
        let store = FileArtifactStore(runs: runs)
        let puts: [ArtifactContent] = [.bytes([1]), .file("large", in: runs, limit: 2), .bytes([2])]
        #expect(code { _ = try store.put(puts, run: sample.run) } == .tooLarge)
        let folder = try #require(try runs.openDirectory("sample-1"))
        #expect(try folder.entries("artifacts/sha256", limit: 9)?.isEmpty == true)
        #expect(try folder.entries("artifacts", limit: 9)?.map(\.name.string) == ["sha256"])
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

extension ArtifactStore {
    fileprivate func put(_ bytes: [UInt8], run: RunID) throws(StoreError) -> Artifact {
        try put([.bytes(bytes)], run: run)[0]
    }

    fileprivate func put(
        contentsOf path: FilePath, in folder: any Directory, run: RunID, limit: Int64
    ) throws(StoreError) -> Artifact {
        try put([.file(path, in: folder, limit: limit)], run: run)[0]
    }
}

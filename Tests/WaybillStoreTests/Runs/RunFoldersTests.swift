import SystemPackage
import Testing
import WaybillCore
import WaybillEngine
import WaybillPorts
import WaybillStore
import WaybillTestKit

@Suite("Run folders")
struct RunFoldersTests {
    private let sample = SampleRun()

    private func code(_ body: () throws -> Void) -> StoreError.Code? {
        do {
            try body()
            return nil
        } catch {
            return (error as? StoreError)?.code
        }
    }

    @Test("a start makes the folder with definition, ledger and inbox", arguments: Volume.allCases)
    func creates(_ volume: Volume) throws {
        let (runs, keep) = try volume.make()
        defer { withExtendedLifetime(keep) {} }
        let folders = RunFolders(runs)
        let (bytes, head) = sample.lines([1])
        #expect(try folders.create(sample.run, definition: sample.definition, lines: bytes) != nil)
        #expect(try folders.create(sample.run, definition: sample.definition, lines: []) == nil)
        let folder = try #require(try folders.open(sample.run))
        #expect(try folder.names(in: FilePath()) == ["definition", "inbox", "ledger.jsonl", "waits"])
        #expect(try folder.read("ledger.jsonl", limit: 9_999) == bytes)
        let script = FilePath("definition/workflows/scripts/go.sh")
        #expect(try folder.directory.status(script)?.permissions == 0o700)
        #expect(try folder.directory.status("definition/workflows/sample.yaml")?.permissions == 0o600)
        #expect(try folder.directory.status("inbox")?.permissions == 0o700)
        #expect(try folders.definition(of: sample.run) == sample.definition)
        #expect(try runs.entries(".building", limit: 9)?.isEmpty == true)
        let verdict = try FileLedgerStore(runs: runs).verify(sample.run, from: sample.genesis, knownHeads: [:])
        #expect(verdict == .whole(head))
        var seen: [RunID] = []
        try folders.forEach { seen.append($0) }
        #expect(seen == [sample.run])
    }

    @Test("a new run is open under its own name, and shows what it was made with", arguments: Volume.allCases)
    func new(_ volume: Volume) throws {
        let (runs, keep) = try volume.make()
        defer { withExtendedLifetime(keep) {} }
        let shown = [Projection(path: "checkpoints/1.json", bytes: [1]), Projection(path: "run.json", bytes: [2])]
        let new = try #require(
            try RunFolders(runs).create(
                sample.run, definition: sample.definition, lines: sample.lines([1]).bytes, projections: shown))
        #expect(new.folder.directory.path == runs.path.appending("sample-1"))
        #expect(try new.folder.names(in: FilePath()).contains("run.json"))
        let folder = try #require(try RunFolders(runs).open(sample.run))
        for projection in shown { #expect(try folder.read(projection.path, limit: 9) == projection.bytes) }
    }

    @Test("the index names every source by digest, in the contract's shape")
    func index() {
        let text = """
            {
              "format": 1,
              "workflow": "sample",
              "commit": null,
              "files": [
                {
                  "path": "workflows/sample.yaml",
                  "sha256": "\(Digest.sha256("kind: Workflow\n"))",
                  "size": 15,
                  "executable": false
                },
                {
                  "path": "workflows/scripts/go.sh",
                  "sha256": "\(Digest.sha256("#!/bin/sh\n"))",
                  "size": 10,
                  "executable": true
                }
              ]
            }

            """
        #expect(String(decoding: sample.definition.index, as: UTF8.self) == text)
        #expect(sample.definition.digest == .sha256(text))
    }

    @Test("after a crash at any operation a run is there whole and durable, or not at all")
    func crashes() throws {
        var number = 0
        var isThrough = false
        while !isThrough {
            number += 1
            for survival in [MemoryFileSystem.Survival.lost, .kept] {
                let system = MemoryFileSystem()
                let runs = try system.root()
                let limit = system.operationCount + number
                system.setPlan { $0.number == limit ? .halt : nil }
                let bytes = sample.lines([1]).bytes
                var isAcknowledged = false
                do {
                    let new = try RunFolders(runs).create(sample.run, definition: sample.definition, lines: bytes)
                    isAcknowledged = new != nil
                    isThrough = true
                } catch {}
                system.crash { _ in survival }
                let after = RunFolders(try system.root())
                try after.sweep()
                #expect(try after.directory.entries(".building", limit: 9)?.isEmpty ?? true)
                if try after.open(sample.run) != nil {
                    #expect(try after.definition(of: sample.run) == sample.definition, "halted at \(number)")
                    #expect(try after.open(sample.run)?.read("ledger.jsonl", limit: 9_999) == bytes)
                } else {
                    #expect(!isAcknowledged)
                }
            }
        }
        #expect(number >= 30)
    }

    @Test("what has to be durable before there is a run is seen to before, and if it cannot be, there is none")
    func prepares() throws {
        let system = MemoryFileSystem()
        let runs = try system.root()
        let folders = RunFolders(runs)
        let bytes = sample.lines([1]).bytes
        let code = code {
            _ = try folders.create(sample.run, definition: sample.definition, lines: bytes) {
                () throws(FileSystemError) in
                #expect(try runs.status(FilePath(sample.run.text)) == nil)
                throw FileSystemError(.noSpace, "sync", "elsewhere")
            }
        }
        #expect(code == .noSpace)
        #expect(try folders.open(sample.run) == nil)
        #expect(try runs.entries(".building", limit: 9)?.isEmpty == true)
    }

    @Test("of a definition of many files and folders nothing is lost in a crash")
    func manySources() throws {
        let system = MemoryFileSystem()
        let sources = (0..<150).map { number in
            FrozenDefinition.Source(
                path: "workflows/\(number % 7)/\(number % 3)/\(number).yaml", bytes: Array("n: \(number)\n".utf8))
        }
        let definition = FrozenDefinition(workflow: "sample", commit: nil, sources: sources)
        let blob: [UInt8] = [1, 2, 3]
        let new = try RunFolders(system.root()).create(
            sample.run, definition: definition, lines: sample.lines([1]).bytes, blobs: [blob, [4], blob])
        #expect(new != nil)
        system.crash()
        let folders = RunFolders(try system.root())
        #expect(try folders.definition(of: sample.run) == definition)
        #expect(try folders.open(sample.run)?.read(Artifact.path(of: .sha256(blob)), limit: 9) == blob)
    }

    @Test("a full disk leaves no run and no rubbish")
    func noSpace() throws {
        let system = MemoryFileSystem()
        let runs = try system.root()
        system.fail(.write, .noSpace, on: "index.json")
        let bytes = sample.lines([1]).bytes
        #expect(
            code { _ = try RunFolders(runs).create(sample.run, definition: sample.definition, lines: bytes) }
                == .noSpace)
        system.setPlan(nil)
        #expect(try RunFolders(runs).open(sample.run) == nil)
        #expect(try runs.entries(".building", limit: 9)?.isEmpty == true)
    }

    @Test("what is being built is not swept away", arguments: Volume.allCases)
    func sweeps(_ volume: Volume) throws {
        let (runs, keep) = try volume.make()
        defer { withExtendedLifetime(keep) {} }
        try runs.createDirectories(".building/.a.tmp")
        try runs.createDirectories(".building/.b.tmp/definition")
        let ledger = try runs.create(".building/.a.tmp/ledger.jsonl", permissions: 0o600)
        try ledger.lock()
        try RunFolders(runs).sweep()
        #expect(try runs.entries(".building", limit: 9)?.map(\.name.string) == [".a.tmp"])
        ledger.close()
        try RunFolders(runs).sweep()
        #expect(try runs.entries(".building", limit: 9)?.isEmpty == true)
    }

    @Test("a definition that was changed is not the run's")
    func changedDefinition() throws {
        let system = MemoryFileSystem()
        let runs = try system.root()
        try sample.create(in: runs)
        let path = FilePath("sample-1/definition/workflows/sample.yaml")
        try runs.replace(path, with: Array("kind: workflow\n".utf8), durability: .relaxed)
        #expect(code { _ = try RunFolders(runs).definition(of: sample.run) } == .mismatch)
        try runs.replace(path, with: Array("kind: Workflow\n".utf8), durability: .relaxed)
        #expect(try RunFolders(runs).definition(of: sample.run) == sample.definition)
        try runs.replace("sample-1/definition/index.json", with: Array("{}".utf8), durability: .relaxed)
        #expect(code { _ = try RunFolders(runs).definition(of: sample.run) } == .mismatch)
    }

    @Test("projections are put in place without a sync, in folders made on demand")
    func projections() throws {
        let system = MemoryFileSystem()
        try sample.create(in: try system.root())
        let folder = try #require(try RunFolders(system.root()).open(sample.run))
        let operations = Recorder()
        system.setPlan { operations.note($0) }
        try folder.project("snapshots/a.json", [1])
        #expect(try folder.projectIfChanged("snapshots/a.json", [1]) == false)
        #expect(try folder.projectIfChanged("snapshots/a.json", [2]))
        #expect(try folder.read("snapshots/a.json", limit: 9) == [2])
        try folder.unproject("snapshots/a.json")
        try folder.unproject("snapshots/a.json")
        #expect(!operations.all.contains("sync") && !operations.all.contains("syncFolder"))
    }

    @Test("what a killed process left on its way to its name is removed, and nothing else")
    func leftovers() throws {
        let system = MemoryFileSystem()
        try sample.create(in: try system.root())
        let folder = try #require(try RunFolders(system.root()).open(sample.run))
        let places: [FilePath] = ["waits", "checkpoints", "snapshots", "inbox/accepted", "inbox/rejected"]
        for place in places {
            for name in [".x.json.1-1.tmp", "x.json", ".x.json"] {
                try folder.project(place.appending(name), [1])
            }
        }
        try folder.sweep()
        for place in places {
            #expect(
                try folder.directory.entries(place, limit: 9)?.map(\.name.string).sorted() == [".x.json", "x.json"])
        }
    }
}

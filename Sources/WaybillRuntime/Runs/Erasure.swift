import SystemPackage
package import WaybillCore
package import WaybillEngine
import WaybillManifests
import WaybillPorts
import WaybillStore

/// Removes what a step left outside of the ledger. The ledger keeps the digests, so that its chain still verifies, and
/// says that they lead nowhere any more.
package struct Erasure {
    private static let listLimit = 1_000_000
    private static let kept: FilePath.Component = "exit.json"

    private let tree: Tree
    private let definitions = DefinitionCache()

    package init(tree: Tree) { self.tree = tree }

    package struct Report: Sendable {
        /// The `ERASED` entry; nil where all of it had been erased before.
        package var seq: Int?
        package var payloads: [Digest] = []
        /// Files that were removed, artifacts aside.
        package var files = 0
        /// Other runs that hold the same content: forks, and those that undo.
        package var copies: [RunID] = []
    }

    /// Records the erasure first, then removes. Called again, it removes what an interrupted one left.
    ///
    /// - Parameter step: an address; a group or a loop stands for all inside of it.
    /// - Throws: `busy` while somebody works on the run, `invalidInputs` where there is no such step, where it has
    ///   nothing outside of the ledger, or while it runs.
    package func erase(_ run: RunID, step: String, by user: String) throws(RuntimeError) -> Report {
        let session = try RunSession(run, tree: tree, definitions: definitions, verifiesWhole: true)
        defer { session.close() }
        guard session.state.definition.step(at: step) != nil else {
            throw RuntimeError(.invalidInputs, "run \(run) has no step '\(step)'")
        }
        if let attempt = session.state.outstandingAttempts.first(where: { Self.covers(step, $0.reference.step) }) {
            throw RuntimeError(.busy, "\(attempt.reference.step) has not ended yet")
        }
        let found = try find(step, session)
        var report = Report(payloads: found.payloads.map(\.digest))
        let folders = try attemptFolders(step, session.folder)
        guard !found.payloads.isEmpty else {
            throw RuntimeError(
                .invalidInputs,
                "\(step) has nothing that can be erased: what it left stands in the ledger itself; `sensitive` outputs, "
                    + "and those of more than 64 KiB, can be")
        }
        let new = found.payloads.filter { !found.erased.contains($0.digest) }
        if !new.isEmpty {
            let payloads = new.map { payload -> Value in
                ["sha256": .string(payload.digest.hex), "size": .int(Int64(payload.size))]
            }
            let draft = EntryDraft(
                .erased, actor: .user, by: user, step: step, data: ["payloads": .list(payloads)])
            report.seq = try session.note(draft)?.seq
        }
        do throws(StoreError) {
            for payload in found.payloads { _ = try tree.artifacts.remove(payload.digest, run: run) }
            report.files = try remove(folders, found.copies, session.folder)
            report.copies = try copies(of: found.payloads.map(\.digest), beside: run)
        } catch {
            throw RuntimeError(error)
        }
        return report
    }

    /// Whether an address is the step's, or that of something inside of it.
    static func covers(_ step: String, _ address: String) -> Bool {
        guard address.hasPrefix(step) else { return false }
        let rest = address.dropFirst(step.count)
        return rest.isEmpty || rest.first == "." || rest.first == "-"
    }

    /// The step's id without what is around it, and without an item's index.
    private static func id(of address: String) -> String {
        let last = address.split(separator: ".").last ?? ""
        return String(last.prefix { $0 != "-" })
    }

    // MARK: - What there is

    private struct Found {
        var payloads: [(digest: Digest, size: Int)] = []
        var erased: Set<Digest> = []
        var copies: [FilePath] = []
    }

    private func find(_ step: String, _ session: RunSession) throws(RuntimeError) -> Found {
        var found = Found()
        var seen: Set<Digest> = []
        do throws(StoreError) {
            _ = try tree.ledgers.scan(
                session.run, from: .start(genesis: session.state.definitionDigest), knownHeads: [:]
            ) { item in
                found.erased.formUnion(ErasedPayloads.digests(item.entry))
                guard let address = item.entry.step else { return }
                let references = PayloadReferences(item.entry)
                guard Self.covers(step, address) || references.sources.contains(Self.id(of: step)) else { return }
                for payload in references.payloads where seen.insert(payload.digest).inserted {
                    found.payloads.append(payload)
                }
                if let copy = references.copy { found.copies.append(copy) }
            }
        } catch {
            throw RuntimeError(error)
        }
        return found
    }

    private func attemptFolders(_ step: String, _ folder: RunFolder) throws(RuntimeError) -> [FilePath] {
        do throws(FileSystemError) {
            var folders: [FilePath] = []
            for entry in try folder.directory.entries(RunFolder.steps, limit: Self.listLimit) ?? []
            where Self.covers(step, entry.name.string) {
                let place = RunFolder.steps.appending(entry.name)
                for attempt in try folder.directory.entries(place, limit: Self.listLimit) ?? [] {
                    folders.append(place.appending(attempt.name))
                }
            }
            return folders
        } catch {
            throw RuntimeError(StoreError(error))
        }
    }

    // MARK: - Removing

    /// Logs, outputs and copies of artifacts; how an attempt ended stays.
    private func remove(
        _ attempts: [FilePath], _ copies: [FilePath], _ folder: RunFolder
    ) throws(StoreError) -> Int {
        do throws(FileSystemError) {
            var count = 0
            for attempt in attempts {
                for entry in try folder.directory.entries(attempt, limit: Self.listLimit) ?? []
                where entry.name != Self.kept {
                    if try folder.directory.removeTree(attempt.appending(entry.name)) { count += 1 }
                }
                try folder.directory.synchronize(attempt)
            }
            for copy in copies where try folder.directory.remove(copy) { count += 1 }
            return count
        } catch {
            throw StoreError(error)
        }
    }

    private func copies(of digests: [Digest], beside run: RunID) throws(StoreError) -> [RunID] {
        var others: [RunID] = []
        try tree.runs.forEach { other in
            guard other != run else { return }
            let holds = digests.contains { ((try? tree.artifacts.size(of: $0, run: other)) ?? nil) != nil }
            if holds { others.append(other) }
        }
        return others.sorted()
    }
}

/// What an `ERASED` entry says is gone.
package enum ErasedPayloads {
    package static func digests(_ entry: Entry) -> [Digest] {
        guard entry.type == .erased else { return [] }
        return (entry.data["payloads"]?.listValue ?? []).compactMap {
            $0["sha256"]?.stringValue.flatMap(Digest.init(hex:))
        }
    }
}

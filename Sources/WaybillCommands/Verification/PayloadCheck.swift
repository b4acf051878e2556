import SystemPackage
import WaybillCore
import WaybillEngine
import WaybillRuntime
import WaybillStore

/// Looks for everything that a ledger names in artifacts: it is there, or it was erased.
struct PayloadCheck {
    private static let limit = 100
    /// Larger ones are looked for, and not read.
    private static let largest = 256 << 20

    let tree: Tree
    let folder: RunFolder

    private var named: [(payload: (digest: Digest, size: Int), seq: Int)] = []
    private var erased: [Digest: Int] = [:]
    private var seen: Set<Digest> = []

    init(tree: Tree, folder: RunFolder) {
        self.tree = tree
        self.folder = folder
    }

    /// Takes the next entry of the ledger.
    mutating func take(_ entry: Entry) {
        for digest in ErasedPayloads.digests(entry) { erased[digest] = entry.seq }
        for payload in PayloadReferences(entry).payloads where seen.insert(payload.digest).inserted {
            named.append((payload, entry.seq))
        }
    }

    /// What is to be said of what was named.
    func findings() throws(StoreError) -> [Finding] {
        var findings: [Finding] = []
        for (payload, seq) in named where findings.count < Self.limit {
            guard let finding = try finding(payload, seq, erasedBy: erased[payload.digest]) else { continue }
            findings.append(finding)
        }
        return findings
    }

    private func finding(
        _ payload: (digest: Digest, size: Int), _ seq: Int, erasedBy erasure: Int?
    ) throws(StoreError) -> Finding? {
        let path = Artifact.path(of: payload.digest).string
        let size = try tree.artifacts.size(of: payload.digest, run: folder.run)
        switch (erasure, size) {
        case (let erasure?, nil):
            return Finding(
                kind: "erased", message: "what it names was erased (entry \(erasure))", seq: seq, isError: false)
        case (let erasure?, _?):
            return Finding(
                kind: "erased",
                message: "entry \(erasure) says that it was erased, and it is there; `waybill erase` again removes it",
                seq: seq, path: path)
        case (nil, nil): return Finding(kind: "payload", message: "it is missing", seq: seq, path: path)
        case (nil, let size?):
            guard size == Int64(payload.size) else {
                return Finding(
                    kind: "payload", message: "it has \(size) bytes, not \(payload.size)", seq: seq, path: path)
            }
            guard size <= Self.largest else { return nil }
            do throws(StoreError) {
                _ = try tree.artifacts.get(payload.digest, run: folder.run, limit: payload.size)
                return nil
            } catch {
                return Finding(kind: "payload", message: "it is not what was kept", seq: seq, path: path)
            }
        }
    }
}

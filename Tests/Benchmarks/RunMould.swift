import Glibc
import SystemPackage
import WaybillCore
import WaybillEngine
import WaybillPorts
import WaybillRuntime
import WaybillStore

/// Makes many runs of one that was really run: the same files under another id of the same length, with every digest that
/// covers the id made anew, so that chain, checkpoint, projections and journal hold as if each had been run.
struct RunMould {
    /// A part of a file that differs from run to run, or bytes that do not.
    private enum Piece {
        case bytes([UInt8])
        case run
        /// Of the line or checkpoint with this number, in the order in which they are made.
        case digest(Int)
    }

    private struct MouldedFile {
        var path: FilePath
        /// More than one are a ledger's lines; each of them, and each checkpoint, has a digest that others name.
        var lines: [[Piece]]
        var hasDigests: Bool
    }

    private let folders: [FilePath]
    private let files: [MouldedFile]
    /// The digest of the newest line, for a run that ended.
    private let lastLine: Int
    private let lastSeq: Int
    private let inputs: Digest
    /// Nil for a run that has not ended.
    private let status: String?

    /// - Parameter run: one that nobody works on.
    init(_ run: RunID, of tree: BenchTree) throws {
        let root = tree.root.at("runs/\(run.text)")
        let names = try Self.names(in: root)
        folders = names.filter(\.isFolder).map(\.path)
        var known: [[UInt8]: Int] = [:]
        func mould(_ bytes: [UInt8]) -> [Piece] { Self.pieces(of: bytes, run: Array(run.text.utf8), digests: known) }
        func note(_ bytes: some Sequence<UInt8>) {
            let number = known.count
            known[Digest.sha256(Array(bytes)).hexBytes] = number
        }
        func read(_ path: FilePath) throws -> [UInt8] { Array((PlainFile.text(root.pushing(path)) ?? "").utf8) }
        var checkpoints: [Int: FilePath] = [:]
        for name in names where name.path.starts(with: RunFolder.checkpoints) && !name.isFolder {
            checkpoints[Int(name.path.stem ?? "") ?? 0] = name.path
        }
        // In the order in which they came to be: a line, the checkpoint behind it, the line that names that.
        var files: [MouldedFile] = []
        var ledger = MouldedFile(path: RunFolder.ledger, lines: [], hasDigests: true)
        var seq = 0
        for line in try read(RunFolder.ledger).split(separator: UInt8(ascii: "\n")) {
            seq += 1
            ledger.lines.append(mould(Array(line)))
            note(line)
            guard let path = checkpoints[seq] else { continue }
            // What a checkpoint's digest covers has to be made before the line that names it.
            files.append(ledger)
            ledger.lines = []
            let bytes = try read(path)
            files.append(MouldedFile(path: path, lines: [mould(bytes)], hasDigests: true))
            note(bytes)
        }
        lastLine = known.count - 1
        lastSeq = seq
        files.append(ledger)
        for name in names where !name.isFolder && name.path != RunFolder.ledger {
            if name.path.starts(with: RunFolder.checkpoints) { continue }
            files.append(MouldedFile(path: name.path, lines: [mould(try read(name.path))], hasDigests: false))
        }
        self.files = files
        let recorded = try tree.tree.journal.query(following: true) { $0.runs[run] }
        guard let inputs = recorded?.inputs else { throw BenchmarkError(description: "\(run) did not start") }
        self.inputs = inputs
        status = recorded?.ended?.status
    }

    // MARK: - Taking apart

    private static func names(in root: FilePath) throws -> [(path: FilePath, isFolder: Bool)] {
        guard let folder = try LocalFileSystem().openDirectory(root) else { throw Errno.noSuchFileOrDirectory }
        var found: [(path: FilePath, isFolder: Bool)] = []
        var rest = [FilePath()]
        while let next = rest.popLast() {
            for entry in try folder.entries(next, limit: 1_000) ?? [] {
                let path = next.appending(entry.name)
                let isFolder = entry.kind == .directory
                found.append((path, isFolder))
                if isFolder { rest.append(path) }
            }
        }
        return found
    }

    private static func pieces(of bytes: [UInt8], run: [UInt8], digests: [[UInt8]: Int]) -> [Piece] {
        var pieces: [Piece] = []
        var plain: [UInt8] = []
        var index = 0
        func found(_ piece: Piece, _ length: Int) {
            if !plain.isEmpty { pieces.append(.bytes(plain)) }
            plain = []
            pieces.append(piece)
            index += length
        }
        while index < bytes.count {
            if bytes[index...].starts(with: run) {
                found(.run, run.count)
            } else if index + 64 <= bytes.count, let number = digests[Array(bytes[index..<index + 64])] {
                found(.digest(number), 64)
            } else {
                plain.append(bytes[index])
                index += 1
            }
        }
        if !plain.isEmpty { pieces.append(.bytes(plain)) }
        return pieces
    }

    // MARK: - Casting

    /// Makes the folder of a run, and returns the journal's entries of it. Nothing is synced.
    ///
    /// - Parameter runs: the folder `runs/`.
    func cast(_ run: RunID, in runs: FilePath) throws -> [EntryDraft] {
        let root = runs.appending(run.text)
        mkdir(root.string, 0o700)
        for folder in folders { mkdir(root.pushing(folder).string, 0o700) }
        var digests: [Digest] = []
        var ledger: [UInt8] = []
        for file in files {
            let lines = file.lines.map { bytes(of: $0, run, digests: &digests, isCovered: file.hasDigests) }
            if file.path == RunFolder.ledger {
                for line in lines { ledger += line + [UInt8(ascii: "\n")] }
            } else {
                try PlainFile.write(lines[0], to: root.pushing(file.path))
            }
        }
        try PlainFile.write(ledger, to: root.pushing(RunFolder.ledger))
        return [started(run)] + (status.map { [ended(run, $0, digests[lastLine], ledger.count)] } ?? [])
    }

    private func bytes(
        of pieces: [Piece], _ run: RunID, digests: inout [Digest], isCovered: Bool
    ) -> [UInt8] {
        var bytes: [UInt8] = []
        for piece in pieces {
            switch piece {
            case .bytes(let plain): bytes += plain
            case .run: bytes += run.text.utf8
            case .digest(let number): bytes += digests[number].hexBytes
            }
        }
        if isCovered { digests.append(Digest.sha256(bytes)) }
        return bytes
    }

    private func started(_ run: RunID) -> EntryDraft {
        .runStarted(run, workflow: "bench", inputs: inputs, trigger: ["by": "bench", "type": "manual"])
    }

    private func ended(_ run: RunID, _ status: String, _ head: Digest, _ length: Int) -> EntryDraft {
        .runEnded(run, status: status, head: LedgerHead(seq: lastSeq, digest: head, ts: .earliest, length: length))
    }
}

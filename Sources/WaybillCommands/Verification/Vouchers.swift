import SystemPackage
import WaybillCore
import WaybillEngine
import WaybillPorts
import WaybillRuntime
import WaybillStore

/// What somebody brings along to judge a tree by: keys that are trusted, and heads that were published or remembered.
struct Vouchers: Sendable {
    private static let largestFile = 256 << 20

    var trusted: [PublicKey] = []
    /// By run and entry.
    var heads: [RunID: [Int: Digest]] = [:]
    var journalHeads: [Int: Digest] = [:]

    /// Whether signatures are looked at.
    var asksForSignatures: Bool { !trusted.isEmpty }

    /// Takes one head: `<run>=<seq>:<sha256>`, or `journal=<seq>:<sha256>`.
    mutating func add(_ text: String, option: String) throws(CommandError) {
        guard let cut = text.firstIndex(of: "=") else { throw Self.unreadable(text, option) }
        let name = String(text[..<cut])
        if name == "journal" { return try addJournal(String(text[text.index(after: cut)...]), option: option) }
        guard let run = RunID(name) else { throw Self.unreadable(text, option) }
        let (seq, digest) = try Self.head(String(text[text.index(after: cut)...]), option)
        try Self.put(digest, at: seq, into: &heads[run, default: [:]], option)
    }

    /// Takes one head of the journal: `<seq>:<sha256>`.
    mutating func addJournal(_ text: String, option: String) throws(CommandError) {
        let (seq, digest) = try Self.head(text, option)
        try Self.put(digest, at: seq, into: &journalHeads, option)
    }

    /// Takes all heads of a file, one in a line, as `verify --print-heads` writes them.
    mutating func add(file path: String) throws(CommandError) {
        let bytes: [UInt8]
        do throws(FileSystemError) {
            let place = FilePath(path)
            let folder = place.removingLastComponent()
            guard let name = place.lastComponent,
                let directory = try LocalFileSystem().openDirectory(folder.isEmpty ? "." : folder),
                let content = try directory.read(FilePath(root: nil, [name]), limit: Self.largestFile)
            else { throw FileSystemError(.notFound, "open", place) }
            bytes = content
        } catch {
            throw CommandError(error)
        }
        for line in bytes.split(separator: UInt8(ascii: "\n")) where line.first != UInt8(ascii: "#") {
            try add(String(decoding: line, as: UTF8.self), option: path)
        }
    }

    private static func put(
        _ digest: Digest, at seq: Int, into heads: inout [Int: Digest], _ option: String
    ) throws(CommandError) {
        if let other = heads[seq], other != digest {
            throw CommandError.usage("\(option): two different heads are given for entry \(seq)")
        }
        heads[seq] = digest
    }

    private static func head(_ text: String, _ option: String) throws(CommandError) -> (Int, Digest) {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count == 2, let seq = Int(parts[0]), seq > 0, let digest = Digest(hex: String(parts[1])) else {
            throw unreadable(text, option)
        }
        return (seq, digest)
    }

    private static func unreadable(_ text: String, _ option: String) -> CommandError {
        .usage(
            "\(option): '\(Text.oneLine(text))' is no head",
            hint: "`<run>=<seq>:<sha256>`, as `waybill verify --print-heads` prints them")
    }
}

/// What the journal says about runs, and how far it can be believed.
struct JournalKnowledge: Sendable {
    var index = JournalIndex()
    /// The entries of the journal between the first and the last that a trusted key vouches for.
    var signed: ClosedRange<Int>?

    /// Whether signatures were made when the run started, so that its rests must be signed.
    func wasSigning(when run: RunID) -> Bool {
        guard let signed, let entry = index.runs[run] else { return false }
        return signed.contains(entry.started)
    }
}

/// What trusted signatures say of a chain, in findings.
struct SignatureFindings {
    let audit: SignatureAudit

    /// Those that any chain has.
    func add(to report: inout ChainReport) {
        report.signedSeq = .some(audit.last)
        for fault in audit.faults {
            report.findings.append(Finding(kind: "signature", message: fault.message, seq: fault.seq))
        }
        for (seq, key) in audit.strangers.prefix(3) {
            let message = "it is signed by \(Text.oneLine(key)), a key that is not trusted"
            report.findings.append(Finding(kind: "stranger", message: message, seq: seq, isError: false))
        }
        // The entry behind the last one that is signed is the signature itself.
        if let last = audit.last, audit.lastSeq > last + 1 {
            let tail =
                last + 2 == audit.lastSeq ? "entry \(audit.lastSeq) is" : "entries \(last + 2) to \(audit.lastSeq) are"
            report.findings.append(
                Finding(kind: "tail", message: "\(tail) not signed yet: only the chain speaks for them", isError: false)
            )
        }
    }

    /// Those of a run.
    func add(to report: inout ChainReport, run: RunID, _ journal: JournalKnowledge) {
        add(to: &report)
        if let name = audit.run, name != run.text {
            report.findings.append(
                Finding(kind: "run", message: "these are the entries of run \(Text.oneLine(name))", seq: 1))
        }
        let isKnown = journal.index.runs[run] != nil
        if !isKnown {
            report.findings.append(
                Finding(
                    kind: "journal", message: "the journal knows no such run: one of the two was cut or put here",
                    isError: audit.firstRest > 0))
        }
        guard audit.last == nil, audit.firstRest > 0 else { return }
        let isExpected = journal.wasSigning(when: run)
        report.findings.append(
            Finding(
                kind: "unsigned",
                message: isExpected
                    ? "no trusted key vouches for any of it, though the journal was signed when it started: it was "
                        + "written anew, or signing was turned off"
                    : "no trusted key vouches for it: it was started before anything was signed",
                seq: isExpected ? audit.firstRest : nil, isError: isExpected))
    }
}

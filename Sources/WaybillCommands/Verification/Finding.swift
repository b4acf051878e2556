import WaybillCore
import WaybillEngine

/// Something that verification found in a run or in the journal.
struct Finding: Sendable, Hashable {
    /// In one word: `chain`, `head`, `torn`, `definition`, `projection`, `checkpoint`, ...
    var kind: String
    var message: String
    /// The ledger entry it is about.
    var seq: Int?
    /// The file it is about, relative to the run's folder.
    var path: String?
    /// What is no error is only reported: nothing acknowledged is lost by it.
    var isError = true

    /// `entry 7: it does not follow from the line above`.
    var text: String {
        let entry = seq.map { "entry \($0): " } ?? ""
        let file = path.map { "\($0): " } ?? ""
        return file + entry + message
    }

    var value: Value {
        var object: Object = ["kind": .string(kind), "message": .string(message)]
        if let seq { object["seq"] = .int(Int64(seq)) }
        if let path { object["path"] = .string(path) }
        return .object(object)
    }
}

/// What verification says about one chain.
struct ChainReport: Sendable {
    /// A run's id, or `journal`.
    var name: String
    /// Entries that verify.
    var count = 0
    var head = Digest.zero
    var findings: [Finding] = []
    /// Whether the projections were compared, too.
    var isDeep = false
    /// The last entry that a trusted key vouches for; nil within where there is none, nil where nobody asked.
    var signedSeq: Int??

    init(name: String) { self.name = name }

    var isOK: Bool { !findings.contains(where: \.isError) }
    var errors: [Finding] { findings.filter(\.isError) }
    var warnings: [Finding] { findings.filter { !$0.isError } }
    /// The number of the first entry that is wrong or missing.
    var firstBadEntry: Int? { errors.compactMap(\.seq).min() }

    var value: Value {
        var object: Object = [
            "run": .string(name), "ok": .bool(isOK), "count": .int(Int64(count)), "deep": .bool(isDeep),
            "errors": .list(errors.map(\.value)), "warnings": .list(warnings.map(\.value)),
            "firstBadEntry": firstBadEntry.map { .int(Int64($0)) } ?? .null,
            "head": ["seq": .int(Int64(count)), "sha256": .string(head.hex)],
        ]
        if let signedSeq { object["signed"] = signedSeq.map { .int(Int64($0)) } ?? .null }
        return .object(object)
    }

    /// As `--head` takes it.
    var headText: String { "\(name)=\(count):\(head.hex)" }

    func text(for terminal: Terminal) -> String {
        let verdict = isOK ? terminal.paint("ok", .green) : terminal.paint("FAILED", .red)
        let depth = isDeep && isOK ? ", projections follow" : ""
        let trust = (signedSeq ?? nil).map { ", signed up to entry \($0)" } ?? ""
        var lines = ["\(verdict)  \(name)  \(Text.count(count, "entry", "entries")), head \(head.hex)\(trust)\(depth)"]
        for finding in errors { lines.append("  \(terminal.paint("error", .red)): \(finding.text)") }
        for finding in warnings { lines.append("  \(terminal.paint("warning", .yellow)): \(finding.text)") }
        return lines.joined(separator: "\n")
    }

    /// Takes a scan's verdict.
    mutating func take(_ verdict: LedgerVerdict) {
        count = verdict.head.seq
        head = verdict.head.digest
        switch verdict {
        case .whole: break
        case .torn(_, let bytes, let reason):
            findings.append(
                Finding(
                    kind: "torn",
                    message:
                        "\(reason.message): \(bytes) bytes of an unfinished write; whoever opens it next saves them "
                        + "aside and cuts them off",
                    seq: reason.seq))
        case .damaged(_, let reason):
            findings.append(Finding(kind: reason.code.rawValue, message: reason.message, seq: reason.seq))
        }
    }
}

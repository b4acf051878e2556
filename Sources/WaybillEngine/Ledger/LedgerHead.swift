package import WaybillCore

/// The end of a chain: all that is needed to check or write what follows.
package struct LedgerHead: Hashable, Sendable {
    /// Of the last entry; 0 before the first.
    package var seq: Int
    /// Of the last line's bytes, or the genesis.
    package var digest: Digest
    /// Of the last entry.
    package var ts: Timestamp
    /// Bytes up to and with the last line's newline.
    package var length: Int

    package init(seq: Int, digest: Digest, ts: Timestamp, length: Int) {
        self.seq = seq
        self.digest = digest
        self.ts = ts
        self.length = length
    }

    /// A chain without entries. The genesis of a run is the SHA-256 of `definition/index.json`, that of the journal
    /// is `Digest.zero`.
    package static func start(genesis: Digest) -> LedgerHead {
        LedgerHead(seq: 0, digest: genesis, ts: .earliest, length: 0)
    }

    /// Appends the entries of one decision, dated `time` or, if that would go back, like the entry above.
    /// - Returns: the entries with their lines, each line with its newline, ready to be written at `length`.
    package mutating func append(_ drafts: [EntryDraft], at time: Timestamp) -> [(entry: Entry, line: [UInt8])] {
        ts = max(ts, time)
        return drafts.enumerated().map { index, draft in
            let entry = Entry(
                seq: seq + 1, ts: ts, type: draft.type, actor: draft.actor, by: draft.by, step: draft.step,
                visit: draft.visit, attempt: draft.attempt,
                of: index == 0 && drafts.count > 1 ? drafts.count : nil, data: draft.data, prev: digest)
            var line = EntryCodec.line(entry)
            seq += 1
            digest = Digest.sha256(line)
            line.append(UInt8(ascii: "\n"))
            length += line.count
            return (entry, line)
        }
    }
}

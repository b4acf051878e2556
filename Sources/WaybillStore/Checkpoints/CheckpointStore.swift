package import WaybillCore

/// States of a run, each under the number of the ledger entry it stands for. They can all be rebuilt: one that is
/// lost or wrong costs time, never truth.
package protocol CheckpointStore: Sendable {
    /// Puts a checkpoint in place, over one with the same number, and returns the digest of its bytes. It is not
    /// synced: the ledger's `CHECKPOINT` entry holds the digest, and a file that does not match is no checkpoint.
    func write(_ bytes: [UInt8], run: RunID, seq: Int) throws(StoreError) -> Digest
    /// The numbers that are there, ascending.
    func numbers(run: RunID) throws(StoreError) -> [Int]
    /// The bytes of one; nil if missing.
    /// - Throws: `.tooLarge` beyond the store's limit.
    func read(run: RunID, seq: Int) throws(StoreError) -> [UInt8]?
    func remove(run: RunID, seq: Int) throws(StoreError)
}

extension CheckpointStore {
    /// The newest one that `isValid` (which looks the digest up in the ledger) agrees to; nil if there is none.
    /// - Parameter rejected: is told the numbers of those that were passed over.
    package func newest(
        run: RunID, isValid: (_ seq: Int, _ digest: Digest) -> Bool, rejected: (_ seq: Int) -> Void = { _ in }
    ) throws(StoreError) -> (seq: Int, bytes: [UInt8])? {
        for seq in try numbers(run: run).reversed() {
            if let bytes = try read(run: run, seq: seq), isValid(seq, Digest.sha256(bytes)) { return (seq, bytes) }
            rejected(seq)
        }
        return nil
    }

    /// Removes all but the newest `count`, never one of `protected`; returns the numbers that went.
    package func prune(run: RunID, keeping count: Int, protected: Set<Int>) throws(StoreError) -> [Int] {
        let removed = try numbers(run: run).dropLast(max(count, 0)).filter { !protected.contains($0) }
        for seq in removed { try remove(run: run, seq: seq) }
        return removed
    }
}

/// What is wrong with a line or a chain of lines.
package struct LedgerError: Error, Hashable, Sendable {
    package enum Code: String, Sendable {
        /// A line is no entry, or not spelled as entries are.
        case malformed
        /// A line does not end.
        case incomplete
        /// An entry is missing, doubled or moved.
        case sequence
        /// An entry does not name the digest of the line above.
        case chain
        /// The first entry does not name the genesis: the ledger belongs to another definition.
        case genesis
        /// An entry's time is before that of the entry above.
        case time
        /// A decision has fewer or other entries than its first one says.
        case decision
        /// The ledger does not hold a head that is known from elsewhere.
        case head
    }

    package var code: Code
    package var message: String
    /// The number of the entry that is wrong or missing; 0 where a single line is judged.
    package var seq: Int
    /// Where its line begins, in bytes.
    package var offset: Int

    package init(_ code: Code, _ message: String, seq: Int = 0, offset: Int = 0) {
        self.code = code
        self.message = message
        self.seq = seq
        self.offset = offset
    }
}

extension LedgerError: CustomStringConvertible {
    package var description: String { seq > 0 ? "entry \(seq): \(message)" : message }
}

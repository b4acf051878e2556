/// Where a step instance stands in a run: `build`, `group.step`, and for the fourth item of a loop `load-3.triage`.
///
/// Ledger entries and step folders are named by it. The visit is no part of it.
package struct Address: Hashable, Sendable {
    /// One level: a step's id, and for one item of its loop the item's index from 0.
    package struct Part: Hashable, Sendable {
        package var id: String
        package var item: Int?

        package init(id: String, item: Int? = nil) {
            self.id = id
            self.item = item
        }
    }

    /// Outermost first, never empty.
    package let parts: [Part]

    package init(id: String) { parts = [Part(id: id)] }

    private init(parts: [Part]) { self.parts = parts }

    /// Reads `group.load-3.triage`; nil if it is no address. Only the canonical spelling is one (no `load-03`).
    package init?(_ text: String) {
        var parts: [Part] = []
        for piece in text.split(separator: ".", omittingEmptySubsequences: false) {
            let halves = piece.split(separator: "-", maxSplits: 1, omittingEmptySubsequences: false)
            guard let id = halves.first.map(String.init), Self.isValidID(id) else { return nil }
            var part = Part(id: id)
            if halves.count == 2 {
                guard let item = Int(halves[1]), item >= 0, String(item) == halves[1] else { return nil }
                part.item = item
            }
            parts.append(part)
        }
        self.parts = parts
    }

    /// Whether a step may be called so: `[A-Za-z][A-Za-z0-9_]*`.
    package static func isValidID(_ text: String) -> Bool {
        guard let first = text.utf8.first, first.isLetter else { return false }
        return text.utf8.allSatisfy { $0.isLetterOrDigit || $0 == UInt8(ascii: "_") }
    }

    /// The innermost step's id.
    package var id: String { parts[parts.count - 1].id }
    /// The index of the item, where this is one item of a loop.
    package var item: Int? { parts[parts.count - 1].item }
    /// What this stands in: of an item its loop, of a step its group or item; nil at the top.
    package var parent: Address? {
        if item != nil { return Address(parts: parts.dropLast() + [Part(id: id)]) }
        return parts.count > 1 ? Address(parts: Array(parts.dropLast())) : nil
    }

    /// A step inside this group or item.
    package func child(_ id: String) -> Address { Address(parts: parts + [Part(id: id)]) }

    /// One item of this loop.
    package func item(_ index: Int) -> Address { Address(parts: parts.dropLast() + [Part(id: id, item: index)]) }
}

extension Address: CustomStringConvertible {
    package var description: String {
        parts.map { part in part.item.map { "\(part.id)-\($0)" } ?? part.id }.joined(separator: ".")
    }
}

/// The name of a run, and of its folder under `runs/`: `[A-Za-z0-9][A-Za-z0-9_-]{0,127}`, not `inbox`.
///
/// There is no dot in it, so that `<run-id>.<key>.json` has one reading.
package struct RunID: Hashable, Sendable {
    package let text: String

    package static let longest = 128

    /// Nil if the text is not a run id.
    package init?(_ text: String) {
        guard Self.isValid(text) else { return nil }
        self.text = text
    }

    package static func isValid(_ text: String) -> Bool {
        guard (1...longest).contains(text.utf8.count), text != "inbox", let first = text.utf8.first else {
            return false
        }
        return first.isLetterOrDigit
            && text.utf8.allSatisfy { $0.isLetterOrDigit || $0 == UInt8(ascii: "_") || $0 == UInt8(ascii: "-") }
    }

    /// `release-20261120T101500-7k3f9q`: ids of a workflow sort by start time; the tail keeps those of one second
    /// apart. A workflow's name that would make the id too long is cut.
    package static func make(workflow: String, at time: Timestamp, random: UInt64) -> RunID {
        var tail: [UInt8] = []
        var rest = random
        for _ in 0..<6 {
            let digit = UInt8(rest % 36)
            tail.append(digit < 10 ? UInt8(ascii: "0") + digit : UInt8(ascii: "a") + digit - 10)
            rest /= 36
        }
        let suffix = "-\(time.compactSeconds)-\(String(decoding: tail, as: UTF8.self))"
        let text = String(workflow.prefix(longest - suffix.utf8.count)) + suffix
        guard let id = RunID(text) else { preconditionFailure("'\(workflow)' is not the name of a workflow") }
        return id
    }
}

extension RunID: CustomStringConvertible {
    package var description: String { text }
}

extension RunID: Comparable {
    package static func < (left: RunID, right: RunID) -> Bool { left.text.precedesInCodePoints(right.text) }
}

extension UInt8 {
    /// Of ASCII.
    package var isLetter: Bool { (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(self | 0x20) }
    /// Of ASCII.
    package var isDigit: Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(self) }
    /// Of ASCII.
    package var isLetterOrDigit: Bool { isLetter || isDigit }
}

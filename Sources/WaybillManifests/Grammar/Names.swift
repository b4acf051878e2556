/// The spellings of names, ids and paths (contract, sections 2 and 3).
enum Names {
    private static func isLower(_ byte: UInt8) -> Bool { (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte) }
    private static func isUpper(_ byte: UInt8) -> Bool { (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte) }
    private static func isDigit(_ byte: UInt8) -> Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) }

    /// Longer names would not fit a file name together with a date and a suffix.
    static let longest = 100

    /// `[a-z][a-z0-9-]*`
    static func isName(_ text: String) -> Bool {
        guard let first = text.utf8.first, isLower(first), text.utf8.count <= longest else { return false }
        return text.utf8.allSatisfy { isLower($0) || isDigit($0) || $0 == UInt8(ascii: "-") }
    }

    /// `[A-Za-z][A-Za-z0-9_]*`
    static func isID(_ text: String) -> Bool {
        guard let first = text.utf8.first, isLower(first) || isUpper(first), text.utf8.count <= longest else {
            return false
        }
        return text.utf8.allSatisfy { isLower($0) || isUpper($0) || isDigit($0) || $0 == UInt8(ascii: "_") }
    }

    /// The names of users and groups as machines spell them, and `uid:1000`.
    static func isPerson(_ text: String) -> Bool {
        guard (1...256).contains(text.utf8.count), text.utf8.first != UInt8(ascii: "-") else { return false }
        return text.utf8.allSatisfy { $0 > 0x20 && $0 != 0x7F && $0 != UInt8(ascii: ",") && $0 != UInt8(ascii: "/") }
    }

    /// The names of snapshots: they become file names.
    static func isSnapshotName(_ text: String) -> Bool {
        guard (1...64).contains(text.utf8.count), let first = text.utf8.first, isLetterOrDigit(first) else {
            return false
        }
        return text.utf8.allSatisfy { isLetterOrDigit($0) || ".-_".utf8.contains($0) }
    }

    private static func isLetterOrDigit(_ byte: UInt8) -> Bool { isLower(byte) || isUpper(byte) || isDigit(byte) }

    /// `[A-Za-z_][A-Za-z0-9_]*` (POSIX.1-2024, XBD 3.216 "Name"). Names that begin with `WAYBILL_` are set for every
    /// attempt and cannot be set otherwise.
    static func isEnvironmentName(_ text: String) -> Bool {
        if text.hasPrefix("WAYBILL_") { return false }
        guard let first = text.utf8.first, isLower(first) || isUpper(first) || first == UInt8(ascii: "_") else {
            return false
        }
        return text.utf8.allSatisfy { isLower($0) || isUpper($0) || isDigit($0) || $0 == UInt8(ascii: "_") }
    }

    /// A token of RFC 9110, section 5.6.2.
    static func isToken(_ text: String) -> Bool {
        !text.isEmpty && text.utf8.allSatisfy { isLetterOrDigit($0) || "!#$%&'*+-.^_`|~".utf8.contains($0) }
    }

    /// The spelling of an IANA time zone; whether there is one of that name depends on the machine.
    static func isZone(_ text: String) -> Bool {
        guard text.utf8.count <= 64 else { return false }
        return text.split(separator: "/", omittingEmptySubsequences: false).allSatisfy { part in
            guard let first = part.utf8.first, isLower(first) || isUpper(first) else { return false }
            return part.utf8.allSatisfy { isLetterOrDigit($0) || "_+-".utf8.contains($0) }
        }
    }

    /// `name@1`, `name@1.2`, `name@1.2.0` or `name@1.2.0-rc.1`, nil for anything else.
    static func capability(_ text: String) -> CapabilityReference? { try? CapabilityReference(text) }

    /// A spelling that is allowed, as a hint; nil if nothing is left.
    static func repaired(_ text: String, separator: String) -> String? {
        var result = ""
        for byte in text.utf8 {
            if isLower(byte) || isDigit(byte) || (isUpper(byte) && separator == "_") {
                result.unicodeScalars.append(Unicode.Scalar(byte))
            } else if isUpper(byte) {
                result.unicodeScalars.append(Unicode.Scalar(byte + 0x20))
            } else if !result.isEmpty, !result.hasSuffix(separator) {
                result += separator
            }
        }
        while let last = result.last, String(last) == separator { result.removeLast() }
        while let first = result.utf8.first, isDigit(first) || first == UInt8(ascii: "-") || first == UInt8(ascii: "_")
        { result.removeFirst() }
        return result.isEmpty || result.utf8.count > longest ? nil : "write `\(result)`"
    }
}

/// Paths as texts; nothing here looks at a disk.
enum Paths {
    /// Whether a relative path stays below its folder.
    static func isContained(_ path: String) -> Bool { resolve(path, in: "") != nil }

    /// The folder of a file.
    static func folder(of path: String) -> String {
        guard let slash = path.lastIndex(of: "/") else { return "" }
        return String(path[..<slash])
    }

    /// A path relative to a folder as one relative to the tree's root, without `.` and `..`;
    /// nil where it leaves the tree, is absolute or empty.
    static func resolve(_ path: String, in folder: String) -> String? {
        guard !path.isEmpty, !path.hasPrefix("/"), !path.utf8.contains(0) else { return nil }
        var parts = folder.split(separator: "/")
        for part in path.split(separator: "/") where part != "." {
            if part != ".." {
                parts.append(part)
            } else if parts.popLast() == nil {
                return nil
            }
        }
        return parts.isEmpty ? nil : parts.joined(separator: "/")
    }
}

/// Pieces of sentences for messages.
enum Phrase {
    /// `a`, `b` or `c`.
    static func alternatives(_ words: [String]) -> String { joined(words, "or") }
    /// `a`, `b` and `c`.
    static func enumeration(_ words: [String]) -> String { joined(words, "and") }

    private static func joined(_ words: [String], _ conjunction: String) -> String {
        let quoted = words.map { "`\($0)`" }
        guard let last = quoted.last else { return "nothing" }
        let head = quoted.dropLast().joined(separator: ", ")
        return head.isEmpty ? last : "\(head) \(conjunction) \(last)"
    }

    static func article(_ noun: String) -> String {
        if noun == "null" { return "nothing" }
        return "aeiou".contains(noun.prefix(1)) ? "an \(noun)" : "a \(noun)"
    }

    /// A text in a message, cut where it is long.
    static func quoted(_ text: String) -> String {
        let line = text.prefix(60).replacing("\n", with: " ")
        return "`\(line)\(text.count > 60 ? "..." : "")`"
    }
}

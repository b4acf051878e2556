import SystemPackage
import WaybillCore
package import WaybillPorts

/// A pattern of paths: `*` and `?` within a name, `[a-z]` and `[!a-z]`, and `**` for any number of folders.
/// Names that begin with a dot match only patterns that do.
package struct Glob: Sendable, Hashable {
    /// How many files one pattern may match, and how many names are looked at for it.
    package static let matchLimit = 10_000
    private static let lookLimit = 1_000_000

    package struct Problem: Error, Sendable, Hashable {
        package var message: String
    }

    package let pattern: String
    private let parts: [Substring]

    /// - Throws: for absolute patterns and those that climb out with `..`.
    package init(_ pattern: String) throws(Problem) {
        self.pattern = pattern
        var parts = pattern.split(separator: "/", omittingEmptySubsequences: true)
        parts.removeAll { $0 == "." }
        guard !pattern.hasPrefix("/"), !parts.contains(".."), !parts.isEmpty else {
            throw Problem(message: "'\(pattern)' must be a relative pattern without '..'")
        }
        self.parts = parts
    }

    /// The regular files beneath a folder that match, sorted; links are not followed.
    package func files(in directory: any Directory) throws(FileSystemError) -> [String] {
        var walk = Walk()
        try find(parts[...], in: directory, prefix: FilePath(), &walk)
        return walk.found.sorted { $0.precedesInCodePoints($1) }
    }

    private struct Walk {
        var found: Set<String> = []
        var looked = 0
    }

    private func find(
        _ parts: ArraySlice<Substring>, in directory: any Directory, prefix: FilePath, _ walk: inout Walk
    ) throws(FileSystemError) {
        guard let part = parts.first else { return }
        let isLast = parts.count == 1
        if part == "**" { try find(isLast ? ["*"] : parts.dropFirst(), in: directory, prefix: prefix, &walk) }
        guard let listing = try directory.listing(prefix) else { return }
        while walk.looked < Self.lookLimit, walk.found.count < Self.matchLimit {
            let batch = try listing.next(limit: 1_024)
            if batch.isEmpty { return }
            walk.looked += batch.count
            for entry in batch {
                let name = entry.name.string
                let path = prefix.appending(entry.name)
                let kind = try entry.kind == .unknown ? directory.status(path)?.kind ?? .unknown : entry.kind
                if part == "**" {
                    guard kind == .directory, !name.hasPrefix(".") else { continue }
                    try find(parts, in: directory, prefix: path, &walk)
                } else if Self.matches(Array(name.unicodeScalars), Array(part.unicodeScalars)) {
                    if isLast, kind == .file { walk.found.insert(path.string) }
                    if !isLast, kind == .directory { try find(parts.dropFirst(), in: directory, prefix: path, &walk) }
                }
            }
        }
    }

    // MARK: - Names

    /// Whether one name matches one part of a pattern; in time linear in name times pattern.
    static func matches(_ name: [Unicode.Scalar], _ pattern: [Unicode.Scalar]) -> Bool {
        if name.first == ".", pattern.first != "." { return false }
        var nameIndex = 0
        var patternIndex = 0
        var lastStar: (pattern: Int, name: Int)?
        while nameIndex < name.count {
            if patternIndex < pattern.count, pattern[patternIndex] == "*" {
                lastStar = (patternIndex, nameIndex)
                patternIndex += 1
            } else if let next = step(name[nameIndex], pattern, patternIndex) {
                nameIndex += 1
                patternIndex = next
            } else if let star = lastStar {
                lastStar = (star.pattern, star.name + 1)
                nameIndex = star.name + 1
                patternIndex = star.pattern + 1
            } else {
                return false
            }
        }
        return pattern[patternIndex...].allSatisfy { $0 == "*" }
    }

    /// The pattern's next index if it takes this one character.
    private static func step(_ scalar: Unicode.Scalar, _ pattern: [Unicode.Scalar], _ index: Int) -> Int? {
        guard index < pattern.count else { return nil }
        switch pattern[index] {
        case "?": return index + 1
        case "[":
            guard let end = pattern[(index + 1)...].dropFirst().firstIndex(of: "]") else {
                return scalar == "[" ? index + 1 : nil
            }
            var members = pattern[(index + 1)..<end]
            let isNegated = members.first == "!" || members.first == "^"
            if isNegated { members = members.dropFirst() }
            return contains(members, scalar) != isNegated ? end + 1 : nil
        default: return scalar == pattern[index] ? index + 1 : nil
        }
    }

    private static func contains(_ members: ArraySlice<Unicode.Scalar>, _ scalar: Unicode.Scalar) -> Bool {
        var index = members.startIndex
        while index < members.endIndex {
            if index + 2 < members.endIndex, members[index + 1] == "-" {
                if (members[index].value...max(members[index].value, members[index + 2].value)).contains(scalar.value) {
                    return true
                }
                index += 3
            } else {
                if members[index] == scalar { return true }
                index += 1
            }
        }
        return false
    }
}

import WaybillCore

/// Why a text is no version, or no reference to a capability.
package struct CapabilityVersionError: Error, Hashable, Sendable {
    package var message: String

    package init(_ message: String) { self.message = message }
}

extension SemanticVersion: CustomStringConvertible {
    /// Longer texts are not looked at.
    private static let longest = 100

    /// Reads `1.2.0` or `1.2.0-rc.1` (Semantic Versioning 2.0.0, sections 2 and 9).
    ///
    /// - Throws: for anything else; build metadata (`+...`) counts for nothing in comparisons and is refused, so that no
    ///   two texts mean the same version.
    package init(_ text: String) throws(CapabilityVersionError) {
        guard text.utf8.count <= Self.longest else { throw CapabilityVersionError("the version is too long") }
        guard !text.utf8.contains(UInt8(ascii: "+")) else {
            throw CapabilityVersionError("a version has no build metadata here")
        }
        let halves = text.split(separator: "-", maxSplits: 1, omittingEmptySubsequences: false)
        let numbers = try Self.numbers(halves[0])
        guard numbers.count == 3 else {
            throw CapabilityVersionError("a version has three numbers, such as `1.2.0`")
        }
        let prerelease = halves.count > 1 ? try Self.prerelease(halves[1]) : []
        self.init(major: numbers[0], minor: numbers[1], patch: numbers[2], prerelease: prerelease)
    }

    package var description: String {
        let numbers = "\(major).\(minor).\(patch)"
        return prerelease.isEmpty ? numbers : "\(numbers)-\(prerelease.joined(separator: "."))"
    }

    fileprivate static func numbers(_ text: Substring) throws(CapabilityVersionError) -> [Int] {
        var numbers: [Int] = []
        for part in text.split(separator: ".", omittingEmptySubsequences: false) {
            // "+1" and "01" are numbers to others, and would be second spellings here.
            guard let number = Int(part), number >= 0, String(number) == part else {
                throw CapabilityVersionError("a version is made of numbers without leading zeros, such as `1.2.0`")
            }
            numbers.append(number)
        }
        return numbers
    }

    fileprivate static func prerelease(_ text: Substring) throws(CapabilityVersionError) -> [String] {
        var parts: [String] = []
        for part in text.split(separator: ".", omittingEmptySubsequences: false) {
            let isSpelt =
                !part.isEmpty && part.utf8.allSatisfy { $0.isLetterOrDigit || $0 == UInt8(ascii: "-") }
            let isNumber = part.utf8.allSatisfy(\.isDigit)
            guard isSpelt, !isNumber || part == "0" || !part.hasPrefix("0") else {
                throw CapabilityVersionError(
                    "a pre-release is made of letters, digits and dashes between dots, such as `1.2.0-rc.1`")
            }
            parts.append(String(part))
        }
        return parts
    }
}

extension CapabilityReference: CustomStringConvertible {
    /// Reads `name@1`, `name@1.2`, `name@1.2.3` or `name@1.2.3-rc.1`.
    package init(_ text: String) throws(CapabilityVersionError) {
        let halves = text.split(separator: "@", maxSplits: 1, omittingEmptySubsequences: false)
        guard let name = halves.first.map(String.init), Names.isName(name) else {
            throw CapabilityVersionError("a capability's name has lower-case letters, digits and dashes")
        }
        guard halves.count == 2 else {
            throw CapabilityVersionError("say which version is meant: `\(name)@1`")
        }
        if halves[1].utf8.contains(where: { $0 == UInt8(ascii: "-") || $0 == UInt8(ascii: "+") }) {
            let version = try SemanticVersion(String(halves[1]))
            self.init(
                name: name, major: version.major, minor: version.minor, patch: version.patch,
                prerelease: version.prerelease)
            return
        }
        let numbers = try SemanticVersion.numbers(halves[1])
        guard numbers.count <= 3 else {
            throw CapabilityVersionError("a version has at most three numbers, such as `\(name)@1.2.0`")
        }
        self.init(
            name: name, major: numbers[0], minor: numbers.count > 1 ? numbers[1] : nil,
            patch: numbers.count > 2 ? numbers[2] : nil)
    }

    /// Whether a version serves.
    package func matches(_ version: SemanticVersion) -> Bool {
        guard prerelease.isEmpty else {
            return version
                == SemanticVersion(major: major, minor: minor ?? 0, patch: patch ?? 0, prerelease: prerelease)
        }
        guard version.prerelease.isEmpty, version.major == major else { return false }
        guard let minor else { return true }
        if version.minor > minor { return major > 0 }
        return version.minor == minor && version.patch >= patch ?? 0
    }

    package var description: String {
        let numbers = [major, minor, patch].compactMap { $0 }.map(String.init).joined(separator: ".")
        return "\(name)@\(numbers)" + (prerelease.isEmpty ? "" : "-\(prerelease.joined(separator: "."))")
    }
}

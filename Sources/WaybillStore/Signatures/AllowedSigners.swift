internal import Glibc
package import WaybillCore

/// The people whose signatures count: a file in the form of `ssh-keygen`'s ALLOWED SIGNERS, as git reads it.
///
/// A line that this version cannot read admits nobody. Certificate authorities are not taken.
package struct AllowedSigners: Sendable {
    /// What answers are signed for.
    package static let namespace = "waybill"

    private struct Line {
        var number: Int
        var principals: [Substring]
        var key: [UInt8]
        var isAuthority = false
        var namespaces: [Substring]?
        var validAfter: Timestamp?
        var validBefore: Timestamp?
    }

    /// A signature that holds.
    package struct Signer: Hashable, Sendable {
        /// The names asked for that the key may sign as.
        package var principals: [String]
        /// As `ssh-keygen -l` shows it.
        package var fingerprint: String
    }

    /// Of the file's bytes: what decided is known afterwards.
    package let digest: Digest
    private var lines: [Line] = []
    private var malformed: [Int] = []

    package init(_ bytes: [UInt8]) {
        digest = Digest.sha256(bytes)
        let text = String(decoding: bytes, as: UTF8.self)
        for (index, line) in text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline).enumerated() {
            let line = line.drop { $0 == " " || $0 == "\t" }
            if line.isEmpty || line.first == "#" { continue }
            if let read = Self.read(line, index + 1) { lines.append(read) } else { malformed.append(index + 1) }
        }
    }

    /// Finds out whose signature this is.
    ///
    /// - Parameters:
    ///   - names: the principals that would do.
    ///   - now: what `valid-after` and `valid-before` are compared with.
    /// - Returns: the signer, or why it is nobody's, in words.
    package func signer(
        of bytes: [UInt8], signature armoured: [UInt8], among names: [String], now: Timestamp
    ) -> Result<Signer, Refusal> {
        do throws(SSHProblem) {
            let signature = try SSHSignature(armoured: armoured)
            try signature.check(bytes, namespace: Self.namespace)
            let fingerprint = signature.key.fingerprint
            let own = lines.filter { $0.key == signature.key.blob && !$0.isAuthority }
            guard !own.isEmpty else {
                let note = lines.contains(where: \.isAuthority) ? "; cert-authority lines are not taken" : ""
                let unread = malformed.first.map { "; line \($0) of the file cannot be read" } ?? ""
                throw SSHProblem("the key \(fingerprint) is not in the file of allowed signers\(note)\(unread)")
            }
            let valid = own.filter { Self.isValid($0, now: now) }
            guard !valid.isEmpty else {
                throw SSHProblem(
                    "line \(own[0].number) of the file of allowed signers does not admit the key \(fingerprint) now, or not for '\(Self.namespace)'"
                )
            }
            let principals = names.filter { name in valid.contains { Self.matches(name, $0.principals) } }
            guard !principals.isEmpty else {
                let others = valid.flatMap(\.principals).prefix(5).joined(separator: ",")
                throw SSHProblem("it is signed by \(others), who may not answer")
            }
            return .success(Signer(principals: principals, fingerprint: fingerprint))
        } catch {
            return .failure(Refusal(message: error.message))
        }
    }

    package struct Refusal: Error, Hashable, Sendable {
        package var message: String
    }

    private static func isValid(_ line: Line, now: Timestamp) -> Bool {
        if let namespaces = line.namespaces, !matches(namespace, namespaces) { return false }
        if let after = line.validAfter, now < after { return false }
        if let before = line.validBefore, now > before { return false }
        return true
    }

    // MARK: - Lines

    private static func read(_ line: Substring, _ number: Int) -> Line? {
        var words = words(line)
        guard words.count >= 3 else { return nil }
        var read = Line(number: number, principals: list(words.removeFirst()), key: [])
        if !isKeyType(words[0]) {
            guard take(words.removeFirst(), into: &read) else { return nil }
        }
        guard words.count >= 2, isKeyType(words[0]), let key = SSHWire.base64(words[1].utf8) else { return nil }
        // The type is written twice; a line that contradicts itself is no line.
        var wire = SSHWire(key)
        guard wire.text() == String(words[0]) else { return nil }
        read.key = key
        return read
    }

    private static func isKeyType(_ word: Substring) -> Bool {
        ["ssh-", "ecdsa-", "sk-"].contains { word.hasPrefix($0) } && !word.contains("=")
    }

    /// Words between white space; quotes keep theirs together, and stay.
    private static func words(_ line: Substring) -> [Substring] {
        var isQuoted = false
        return line.split { character in
            if character == "\"" { isQuoted.toggle() }
            return !isQuoted && (character == " " || character == "\t")
        }
    }

    private static func list(_ word: Substring) -> [Substring] {
        unquoted(word).split(separator: ",")
    }

    private static func unquoted(_ text: Substring) -> Substring {
        guard text.count >= 2, text.first == "\"", text.last == "\"" else { return text }
        return text.dropFirst().dropLast()
    }

    /// Takes `cert-authority,namespaces="a,b",valid-after="20260101"`; false where an option is none of these.
    private static func take(_ options: Substring, into line: inout Line) -> Bool {
        var isQuoted = false
        let parts = options.split { character in
            if character == "\"" { isQuoted.toggle() }
            return !isQuoted && character == ","
        }
        for part in parts {
            let halves = part.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            let value = halves.count == 2 ? unquoted(halves[1]) : nil
            switch (halves[0].lowercased(), value) {
            case ("cert-authority", nil): line.isAuthority = true
            case ("namespaces", let value?): line.namespaces = value.split(separator: ",")
            case ("valid-after", let value?):
                guard let time = time(value) else { return false }
                line.validAfter = time
            case ("valid-before", let value?):
                guard let time = time(value) else { return false }
                line.validBefore = time
            default: return false
            }
        }
        return true
    }

    /// `YYYYMMDD`, `YYYYMMDDHHMM` or `YYYYMMDDHHMMSS`; in the machine's time zone unless `Z` follows.
    private static func time(_ text: Substring) -> Timestamp? {
        let isUniversal = text.last == "Z"
        let digits = (isUniversal ? text.dropLast() : text).utf8.map { Int32($0) - 48 }
        guard [8, 12, 14].contains(digits.count), digits.allSatisfy({ (0...9).contains($0) }) else { return nil }
        let number = { (range: Range<Int>) -> Int32 in
            range.upperBound <= digits.count ? digits[range].reduce(0) { $0 * 10 + $1 } : 0
        }
        var parts = tm()
        parts.tm_year = number(0..<4) - 1900
        parts.tm_mon = number(4..<6) - 1
        parts.tm_mday = number(6..<8)
        parts.tm_hour = number(8..<10)
        parts.tm_min = number(10..<12)
        parts.tm_sec = number(12..<14)
        parts.tm_isdst = -1
        guard (0...11).contains(parts.tm_mon), (1...31).contains(parts.tm_mday), parts.tm_hour < 24,
            parts.tm_min < 60, parts.tm_sec < 61
        else { return nil }
        let seconds = isUniversal ? timegm(&parts) : mktime(&parts)
        return Timestamp(microseconds: Int64(seconds) * 1_000_000)
    }

    // MARK: - Patterns

    /// Whether a list of patterns admits a name: one matches, and none that is negated does.
    private static func matches(_ name: String, _ patterns: [Substring]) -> Bool {
        var isAdmitted = false
        for pattern in patterns {
            if pattern.first == "!" {
                if matches(Array(name.utf8), Array(pattern.dropFirst().utf8)) { return false }
            } else if matches(Array(name.utf8), Array(pattern.utf8)) {
                isAdmitted = true
            }
        }
        return isAdmitted
    }

    /// `*` stands for anything, `?` for one character. Only the last `*` is gone back to.
    private static func matches(_ name: [UInt8], _ pattern: [UInt8]) -> Bool {
        var (position, index) = (0, 0)
        var star: (index: Int, position: Int)?
        while position < name.count {
            if index < pattern.count, pattern[index] == UInt8(ascii: "*") {
                star = (index, position)
                index += 1
            } else if index < pattern.count, pattern[index] == name[position] || pattern[index] == UInt8(ascii: "?") {
                position += 1
                index += 1
            } else if let last = star {
                index = last.index + 1
                position = last.position + 1
                star = (last.index, position)
            } else {
                return false
            }
        }
        return pattern[index...].allSatisfy { $0 == UInt8(ascii: "*") }
    }
}

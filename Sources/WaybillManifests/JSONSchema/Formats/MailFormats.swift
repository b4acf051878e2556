import WaybillCore

/// Mailboxes of RFC 5321, section 4.1.2, and RFC 6531, section 3.3.
enum MailFormats {
    static func isAddress(_ text: String, allowsUnicode: Bool) -> Bool {
        let bytes = Array(text.utf8)
        guard allowsUnicode || bytes.allSatisfy({ $0 < 0x80 }), bytes.count <= 320 else { return false }
        guard let at = bytes.lastIndex(of: UInt8(ascii: "@")) else { return false }
        let local = bytes[..<at]
        let domain = bytes[(at + 1)...]
        return local.count <= 64 && (isDotAtom(local) || isQuoted(local)) && isDomain(domain)
    }

    private static func isDotAtom(_ local: ArraySlice<UInt8>) -> Bool {
        local.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false).allSatisfy { atom in
            !atom.isEmpty && atom.allSatisfy { $0 >= 0x80 || $0.isLetterOrDigit || atomMarks.contains($0) }
        }
    }

    private static let atomMarks = Set("!#$%&'*+-/=?^_`{|}~".utf8)

    private static func isQuoted(_ local: ArraySlice<UInt8>) -> Bool {
        guard local.count >= 2, local.first == UInt8(ascii: "\""), local.last == UInt8(ascii: "\"") else {
            return false
        }
        var isEscaped = false
        for byte in local.dropFirst().dropLast() {
            if byte < 0x20 || byte == 0x7F { return false }
            if isEscaped {
                isEscaped = false
            } else if byte == UInt8(ascii: "\\") {
                isEscaped = true
            } else if byte == UInt8(ascii: "\"") {
                return false
            }
        }
        return !isEscaped
    }

    private static func isDomain(_ domain: ArraySlice<UInt8>) -> Bool {
        if domain.first == UInt8(ascii: "["), domain.last == UInt8(ascii: "]"), domain.count > 2 {
            let literal = domain.dropFirst().dropLast()
            let tag = Array("IPv6:".utf8)
            if literal.starts(with: tag) { return HostFormats.isIPv6(literal.dropFirst(tag.count)) }
            return HostFormats.isIPv4(literal)
        }
        // Mail takes whatever lies beyond ASCII (RFC 6531, section 3.3); whether DNS knows it is another question.
        let labels = domain.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        return domain.count <= 253
            && labels.allSatisfy { label in
                (1...63).contains(label.count) && label.first != UInt8(ascii: "-") && label.last != UInt8(ascii: "-")
                    && label.allSatisfy { $0.isLetterOrDigit || $0 == UInt8(ascii: "-") || $0 >= 0x80 }
            }
    }
}

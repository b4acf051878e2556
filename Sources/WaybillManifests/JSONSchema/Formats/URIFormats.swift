import WaybillCore

/// URIs of RFC 3986, IRIs of RFC 3987 and templates of RFC 6570.
enum URIFormats {
    static func isURI(_ text: String, allowsUnicode: Bool, allowsRelative: Bool) -> Bool {
        let parts = URIReference(text)
        if let scheme = parts.scheme {
            guard isScheme(scheme) else { return false }
        } else {
            guard allowsRelative else { return false }
            // A colon in the first segment would make a scheme of what is before it.
            let first = parts.path.utf8.prefix { $0 != UInt8(ascii: "/") }
            if parts.authority == nil, first.contains(UInt8(ascii: ":")) { return false }
        }
        if let authority = parts.authority, !isAuthority(authority, allowsUnicode) { return false }
        let allowed = Allowed(marks: pathMarks, unicode: allowsUnicode)
        guard allowed.accepts(parts.path) else { return false }
        let inQuery = Allowed(marks: queryMarks, unicode: allowsUnicode, privateUse: allowsUnicode)
        let inFragment = Allowed(marks: queryMarks, unicode: allowsUnicode)
        return inQuery.accepts(parts.query ?? "") && inFragment.accepts(parts.fragment ?? "")
    }

    private static let nameMarks = Set("-._~!$&'()*+,;=".unicodeScalars)
    private static let userMarks = nameMarks.union(":".unicodeScalars)
    private static let pathMarks = nameMarks.union(":@/".unicodeScalars)
    private static let queryMarks = pathMarks.union("?".unicodeScalars)

    /// Which characters a part may hold, besides letters, digits and percent-encoded bytes.
    private struct Allowed {
        var marks: Set<Unicode.Scalar>
        var unicode: Bool
        var privateUse = false

        func accepts(_ text: some StringProtocol) -> Bool {
            var rest = Substring(text).unicodeScalars[...]
            while let scalar = rest.popFirst() {
                if scalar == "%" {
                    guard isHexPair(&rest) else { return false }
                } else if scalar.isASCII {
                    guard UInt8(ascii: scalar).isLetterOrDigit || marks.contains(scalar) else { return false }
                } else {
                    let isPrivate = privateUse && scalar.properties.generalCategory == .privateUse
                    guard isPrivate || (unicode && isIRICharacter(scalar.value)) else { return false }
                }
            }
            return true
        }
    }

    private static func isHexPair(_ rest: inout Substring.UnicodeScalarView.SubSequence) -> Bool {
        for _ in 0..<2 {
            guard let scalar = rest.popFirst(), scalar.isASCII, UInt8(ascii: scalar).isHexDigit else { return false }
        }
        return true
    }

    /// `ucschar` of RFC 3987, section 2.2.
    private static func isIRICharacter(_ value: UInt32) -> Bool {
        switch value {
        case 0xA0...0xD7FF, 0xF900...0xFDCF, 0xFDF0...0xFFEF: true
        case 0x10000...0xEFFFD: value & 0xFFFF <= 0xFFFD && !(0xE0000...0xE0FFF).contains(value)
        default: false
        }
    }

    private static func isScheme(_ text: String) -> Bool {
        guard let first = text.utf8.first, first.isLetter else { return false }
        return text.utf8.allSatisfy { $0.isLetterOrDigit || "+-.".utf8.contains($0) }
    }

    private static func isAuthority(_ text: String, _ allowsUnicode: Bool) -> Bool {
        var host = Substring(text)
        if let at = host.lastIndex(of: "@") {
            guard Allowed(marks: userMarks, unicode: allowsUnicode).accepts(host[..<at]) else { return false }
            host = host[host.index(after: at)...]
        }
        if host.first == "[" {
            guard let end = host.lastIndex(of: "]"), isPort(host[host.index(after: end)...]) else { return false }
            let literal = host[host.index(after: host.startIndex)..<end]
            return HostFormats.isIPv6(literal.utf8) || isFutureAddress(literal)
        }
        if let colon = host.firstIndex(of: ":") {
            guard isPort(host[colon...]) else { return false }
            host = host[..<colon]
        }
        return Allowed(marks: nameMarks, unicode: allowsUnicode).accepts(host)
    }

    /// Nothing, or a colon and digits, of which there may be none.
    private static func isPort(_ text: Substring) -> Bool {
        text.isEmpty || (text.utf8.first == UInt8(ascii: ":") && text.utf8.dropFirst().allSatisfy(\.isDigit))
    }

    /// `v1.fe80:a` of RFC 3986, section 3.2.2.
    private static func isFutureAddress(_ text: Substring) -> Bool {
        let halves = text.utf8.split(separator: UInt8(ascii: "."), maxSplits: 1, omittingEmptySubsequences: false)
        guard halves.count == 2, let v = halves[0].first, v | 0x20 == UInt8(ascii: "v"), halves[0].count > 1,
            halves[0].dropFirst().allSatisfy(\.isHexDigit), !halves[1].isEmpty
        else { return false }
        return !halves[1].contains(UInt8(ascii: "%"))
            && Allowed(marks: userMarks, unicode: false).accepts(Substring(halves[1]))
    }

    // MARK: Templates

    static func isTemplate(_ text: String) -> Bool {
        var rest = text.unicodeScalars[...]
        while let scalar = rest.popFirst() {
            switch scalar {
            case "{":
                guard let end = rest.firstIndex(of: "}"), isExpression(rest[..<end]) else { return false }
                rest = rest[rest.index(after: end)...]
            case "%":
                guard isHexPair(&rest) else { return false }
            case "}", "\"", "'", "<", ">", "\\", "^", "`", "|": return false
            default:
                if scalar.isASCII ? scalar.value <= 0x20 || scalar.value == 0x7F : !isTemplateCharacter(scalar) {
                    return false
                }
            }
        }
        return true
    }

    private static func isTemplateCharacter(_ scalar: Unicode.Scalar) -> Bool {
        isIRICharacter(scalar.value) || scalar.properties.generalCategory == .privateUse
    }

    private static func isExpression(_ text: Substring.UnicodeScalarView) -> Bool {
        var text = text
        if let first = text.first, "+#./;?&=,!@|".unicodeScalars.contains(first) { text.removeFirst() }
        return text.split(separator: ",", omittingEmptySubsequences: false).allSatisfy(isVariable)
    }

    private static func isVariable(_ text: Substring.UnicodeScalarView) -> Bool {
        var name = text
        if name.last == "*" {
            name.removeLast()
        } else if let colon = name.firstIndex(of: ":") {
            let length = name[name.index(after: colon)...]
            guard (1...4).contains(length.count), length.first != "0",
                length.allSatisfy({ $0.isASCII && UInt8(ascii: $0).isDigit })
            else { return false }
            name = name[..<colon]
        }
        return name.split(separator: ".", omittingEmptySubsequences: false).allSatisfy { part in
            !part.isEmpty && Allowed(marks: ["_"], unicode: false).accepts(Substring(part))
        }
    }
}

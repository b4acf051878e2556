import WaybillCore

/// Addresses and names of hosts.
enum HostFormats {
    /// RFC 2673, section 3.2: four decimal numbers without superfluous zeros.
    static func isIPv4(_ bytes: some Collection<UInt8>) -> Bool {
        let parts = bytes.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        return parts.count == 4
            && parts.allSatisfy { part in
                guard (1...3).contains(part.count), part.allSatisfy(\.isDigit) else { return false }
                if part.count > 1, part.first == UInt8(ascii: "0") { return false }
                return part.reduce(0) { $0 * 10 + Int($1 - UInt8(ascii: "0")) } <= 255
            }
    }

    /// RFC 4291, section 2.2: eight groups of hexadecimal digits, one run of zeros as `::`, the last two as IPv4.
    static func isIPv6(_ bytes: some Collection<UInt8>) -> Bool {
        let text = Array(bytes)
        guard text.count <= 45 else { return false }
        let colon = UInt8(ascii: ":")
        var gap: Int?
        for index in text.indices.dropLast() where text[index] == colon && text[index + 1] == colon {
            if gap != nil { return false }
            gap = index
        }
        guard let gap else { return groups(text[...], mayEndInIPv4: true) == 8 }
        let before = text[..<gap]
        let after = text[(gap + 2)...]
        guard let left = before.isEmpty ? 0 : groups(before, mayEndInIPv4: false),
            let right = after.isEmpty ? 0 : groups(after, mayEndInIPv4: true)
        else { return false }
        return left + right <= 7
    }

    /// How many groups stand between single colons; nil if something else does.
    private static func groups(_ text: ArraySlice<UInt8>, mayEndInIPv4: Bool) -> Int? {
        let parts = text.split(separator: UInt8(ascii: ":"), omittingEmptySubsequences: false)
        var count = 0
        for (index, part) in parts.enumerated() {
            if mayEndInIPv4, index == parts.count - 1, part.contains(UInt8(ascii: ".")) {
                guard isIPv4(part) else { return nil }
                count += 2
            } else {
                guard (1...4).contains(part.count), part.allSatisfy(\.isHexDigit) else { return nil }
                count += 1
            }
        }
        return count
    }

    /// RFC 1123, section 2.1, with A-labels checked by RFC 5890; with Unicode also U-labels of RFC 5890.
    static func isHostname(_ text: String, allowsUnicode: Bool) -> Bool {
        // No name is longer in any spelling, and what follows is not linear.
        guard text.utf8.count <= 1_024 else { return false }
        // IDNA lets other full stops part labels where people type them (RFC 3490, section 3.1).
        let dots: Set<Unicode.Scalar> = allowsUnicode ? [".", "\u{3002}", "\u{FF0E}", "\u{FF61}"] : ["."]
        var length = -1
        var labels: [[Unicode.Scalar]] = []
        for part in text.unicodeScalars.split(omittingEmptySubsequences: false, whereSeparator: dots.contains) {
            guard let label = label(Array(part), allowsUnicode: allowsUnicode) else { return false }
            length += 1 + label.length
            labels.append(label.decoded)
        }
        return length <= 253 && IDNA.keepsDirection(labels)
    }

    /// A label as people read it, and its length as it goes over the wire; nil if it is none.
    private static func label(
        _ label: [Unicode.Scalar], allowsUnicode: Bool
    ) -> (decoded: [Unicode.Scalar], length: Int)? {
        guard label.allSatisfy(\.isASCII) else {
            guard allowsUnicode, IDNA.isULabel(label), let encoded = Punycode.encode(label), encoded.count <= 59 else {
                return nil
            }
            return (label, encoded.count + 4)
        }
        let bytes = label.map { UInt8(ascii: $0) }
        guard (1...63).contains(bytes.count), bytes[0] != UInt8(ascii: "-"),
            bytes[bytes.count - 1] != UInt8(ascii: "-"),
            bytes.allSatisfy({ $0.isLetterOrDigit || $0 == UInt8(ascii: "-") })
        else { return nil }
        guard bytes.count >= 4, bytes[2] == UInt8(ascii: "-"), bytes[3] == UInt8(ascii: "-") else {
            return (label, bytes.count)
        }
        // Two hyphens there are reserved, and `xn` is the only prefix that is in use.
        guard bytes[0] | 0x20 == UInt8(ascii: "x"), bytes[1] | 0x20 == UInt8(ascii: "n"),
            let decoded = IDNA.decoded(bytes)
        else { return nil }
        return (decoded, bytes.count)
    }
}

extension UInt8 {
    /// Of ASCII.
    var isHexDigit: Bool { isDigit || (UInt8(ascii: "a")...UInt8(ascii: "f")).contains(self | 0x20) }
}

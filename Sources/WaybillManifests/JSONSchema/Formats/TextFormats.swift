import WaybillCore

/// Small formats of their own.
enum TextFormats {
    /// RFC 4122, section 3; every version and variant.
    static func isUUID(_ text: String) -> Bool {
        let bytes = Array(text.utf8)
        return bytes.count == 36
            && bytes.indices.allSatisfy { index in
                [8, 13, 18, 23].contains(index) ? bytes[index] == UInt8(ascii: "-") : bytes[index].isHexDigit
            }
    }

    /// draft-bhutton-relative-json-pointer-00, section 3: `1/foo`, `0#`, `2-1/bar`.
    static func isRelativePointer(_ text: String) -> Bool {
        var rest = Substring(text).utf8[...]
        guard skipNumber(&rest) else { return false }
        if let sign = rest.first, sign == UInt8(ascii: "+") || sign == UInt8(ascii: "-") {
            rest.removeFirst()
            guard rest.first != UInt8(ascii: "0"), skipNumber(&rest) else { return false }
        }
        return rest.elementsEqual("#".utf8) || JSONPointer(Substring(rest)) != nil
    }

    /// A whole number without superfluous zeros.
    private static func skipNumber(_ rest: inout Substring.UTF8View.SubSequence) -> Bool {
        let digits = rest.prefix(while: \.isDigit)
        rest = rest[digits.endIndex...]
        return !digits.isEmpty && (digits.count == 1 || digits.first != UInt8(ascii: "0"))
    }

}

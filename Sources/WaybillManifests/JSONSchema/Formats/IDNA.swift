@_spi(_Unicode) import Swift
import WaybillCore

/// Labels of internationalised host names: IDNA 2008 (RFC 5890 to 5893).
enum IDNA {
    /// The label that an `xn--` label stands for: Punycode of a valid U-label, in the one spelling that encodes it.
    static func decoded(_ bytes: [UInt8]) -> [Unicode.Scalar]? {
        let encoded = bytes.dropFirst(4)
        guard let label = Punycode.decode(encoded), label.contains(where: { !$0.isASCII }), isULabel(label),
            let again = Punycode.encode(label)
        else { return nil }
        return again.elementsEqual(encoded.map { $0.isLetter ? $0 | 0x20 : $0 }) ? label : nil
    }

    /// A label with characters beyond ASCII (RFC 5891, section 4.2), but for the direction of its letters.
    static func isULabel(_ label: [Unicode.Scalar]) -> Bool {
        guard let first = label.first, label.last != "-", first != "-" else { return false }
        if label.count >= 4, label[2] == "-", label[3] == "-" { return false }
        if first.properties.generalCategory.isMark { return false }
        for index in label.indices {
            switch category(label[index]) {
            case .valid: continue
            case .disallowed: return false
            case .contextual: if !isInContext(label, index) { return false }
            }
        }
        var text = String.UnicodeScalarView()
        text.append(contentsOf: label)
        return String(text)._nfc.elementsEqual(label)
    }

    enum Category {
        case valid, contextual, disallowed
    }

    /// The derived property of RFC 5892, section 3, computed from Unicode's own properties, in the order given there.
    static func category(_ scalar: Unicode.Scalar) -> Category {
        let value = scalar.value
        let properties = scalar.properties
        if let exception = exception(value) { return exception }
        if properties.generalCategory == .unassigned { return .disallowed }
        if scalar.isASCII {
            let byte = UInt8(ascii: scalar)
            let isLowerCase = byte.isLetter && byte & 0x20 != 0
            return isLowerCase || byte.isDigit || byte == UInt8(ascii: "-") ? .valid : .disallowed
        }
        if properties.isJoinControl { return .contextual }
        if isOldHangulJamo(value) || properties.changesWhenNFKCCaseFolded || properties.isDefaultIgnorableCodePoint
            || properties.isWhitespace || properties.isNoncharacterCodePoint || isIgnorableBlock(value)
        {
            return .disallowed
        }
        switch properties.generalCategory {
        case .lowercaseLetter, .uppercaseLetter, .otherLetter, .modifierLetter, .decimalNumber, .nonspacingMark,
            .spacingMark:
            return .valid
        default: return .disallowed
        }
    }

    /// Section 2.6.
    private static func exception(_ value: UInt32) -> Category? {
        switch value {
        case 0xDF, 0x3C2, 0x6FD, 0x6FE, 0xF0B, 0x3007: .valid
        case 0xB7, 0x375, 0x5F3, 0x5F4, 0x30FB, 0x660...0x669, 0x6F0...0x6F9: .contextual
        case 0x640, 0x7FA, 0x302E, 0x302F, 0x3031...0x3035, 0x303B: .disallowed
        default: nil
        }
    }

    /// Section 2.5: combining marks for symbols, musical notation.
    private static func isIgnorableBlock(_ value: UInt32) -> Bool {
        (0x20D0...0x20FF).contains(value) || (0x1D100...0x1D1FF).contains(value) || (0x1D200...0x1D24F).contains(value)
    }

    /// Section 2.9: conjoining Hangul Jamo.
    private static func isOldHangulJamo(_ value: UInt32) -> Bool {
        (0x1100...0x11FF).contains(value) || (0xA960...0xA97C).contains(value) || (0xD7B0...0xD7FB).contains(value)
    }
}

extension Unicode.GeneralCategory {
    var isMark: Bool { self == .nonspacingMark || self == .spacingMark || self == .enclosingMark }
}

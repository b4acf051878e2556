extension IDNA {
    /// RFC 5892, appendix A: characters that are allowed only beside others.
    static func isInContext(_ label: [Unicode.Scalar], _ index: Int) -> Bool {
        let before = index > 0 ? label[index - 1] : nil
        let after = index + 1 < label.count ? label[index + 1] : nil
        switch label[index].value {
        case 0x200C: return isAfterVirama(before) || joinsAcross(label, index)
        case 0x200D: return isAfterVirama(before)
        case 0xB7: return before == "l" && after == "l"
        case 0x375: return after.map { isGreek($0.value) } ?? false
        case 0x5F3, 0x5F4: return before.map { isHebrew($0.value) } ?? false
        case 0x30FB: return label.contains { isKanaOrHan($0.value) }
        case 0x660...0x669: return !label.contains { (0x6F0...0x6F9).contains($0.value) }
        case 0x6F0...0x6F9: return !label.contains { (0x660...0x669).contains($0.value) }
        default: return false
        }
    }

    private static func isAfterVirama(_ before: Unicode.Scalar?) -> Bool {
        before?.properties.canonicalCombiningClass == .virama
    }

    /// Appendix A.1: between letters that join towards each other, over marks that do not count. Swift has no
    /// joining types: letters of the scripts that join do, but for those listed.
    private static func joinsAcross(_ label: [Unicode.Scalar], _ index: Int) -> Bool {
        let isTransparent = { (scalar: Unicode.Scalar) in scalar.properties.generalCategory == .nonspacingMark }
        guard let before = label[..<index].last(where: { !isTransparent($0) }),
            let after = label[(index + 1)...].first(where: { !isTransparent($0) })
        else { return false }
        return isJoiningLetter(before) && isJoiningLetter(after) && !joinsOnlyBackwards(before.value)
    }

    private static func isJoiningLetter(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        // Arabic, Syriac, N'Ko, Mandaic, Arabic Extended, Mongolian, Phags-pa.
        case 0x620...0x6FF, 0x710...0x77F, 0x7CA...0x7EA, 0x840...0x858, 0x860...0x8C9, 0x1820...0x18AA,
            0xA840...0xA872:
            scalar.properties.generalCategory == .otherLetter
        default: false
        }
    }

    /// Letters that do not join to what follows, or to nothing at all.
    private static func joinsOnlyBackwards(_ value: UInt32) -> Bool {
        switch value {
        case 0x621...0x625, 0x627, 0x629, 0x62F...0x632, 0x648, 0x671...0x677, 0x688...0x699, 0x6C0, 0x6C3...0x6CB,
            0x6CD, 0x6CF, 0x6D2, 0x6D3, 0x6D5, 0x6EE, 0x6EF, 0x710, 0x715...0x719, 0x71E, 0x728, 0x72C, 0x72F:
            true
        default: false
        }
    }

    private static func isGreek(_ value: UInt32) -> Bool {
        (0x370...0x3FF).contains(value) || (0x1F00...0x1FFF).contains(value)
    }

    private static func isHebrew(_ value: UInt32) -> Bool {
        (0x591...0x5F4).contains(value) || (0xFB1D...0xFB4F).contains(value)
    }

    private static func isKanaOrHan(_ value: UInt32) -> Bool {
        switch value {
        case 0x3041...0x3096, 0x309D...0x309F, 0x30A1...0x30FA, 0x30FD...0x30FF, 0x31F0...0x31FF: true
        case 0x2E80...0x2FD5, 0x3005, 0x3007, 0x3021...0x3029, 0x3038...0x303B, 0x3400...0x4DBF, 0x4E00...0x9FFF,
            0xF900...0xFAFF, 0x20000...0x323AF:
            true
        default: false
        }
    }
}

import WaybillCore

extension IDNA {
    /// The bidirectional classes that the rule speaks of, as far as labels may hold them.
    private enum Direction {
        case left, right, europeanDigit, arabicDigit, mark, neutral
    }

    /// The bidi rule of RFC 5893, section 2: it binds every label of a name in which one runs from right to left.
    static func keepsDirection(_ labels: [[Unicode.Scalar]]) -> Bool {
        let directions = labels.map { $0.map(direction) }
        guard directions.contains(where: { $0.contains(.right) || $0.contains(.arabicDigit) }) else { return true }
        return directions.allSatisfy { label in
            let last = label.last { $0 != .mark }
            switch label.first {
            case .right:
                return !label.contains(.left) && last != .neutral
                    && !(label.contains(.europeanDigit) && label.contains(.arabicDigit))
            case .left:
                return !label.contains(.right) && !label.contains(.arabicDigit) && last != .neutral
            default: return false
            }
        }
    }

    /// Approximated by block where Swift has no property: letters and signs of the blocks that are set aside for
    /// scripts from right to left run so.
    private static func direction(_ scalar: Unicode.Scalar) -> Direction {
        let category = scalar.properties.generalCategory
        switch scalar.value {
        case 0x660...0x669, 0x66B, 0x66C, 0x10D30...0x10D39, 0x10E60...0x10E7E: return .arabicDigit
        case 0x6F0...0x6F9: return .europeanDigit
        case _ where category == .nonspacingMark || category == .enclosingMark: return .mark
        case 0x590...0x8FF, 0xFB1D...0xFDFF, 0xFE70...0xFEFF, 0x10800...0x10FFF, 0x1E800...0x1EFFF: return .right
        case _ where scalar.isASCII && UInt8(ascii: scalar).isDigit: return .europeanDigit
        case 0x2D, 0xB7, 0x30FB, 0x375, 0x200C, 0x200D: return .neutral
        default: return .left
        }
    }
}

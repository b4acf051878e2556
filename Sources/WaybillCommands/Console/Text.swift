import WaybillCore

/// How values are spelled for people.
enum Text {
    // MARK: Layout

    /// Columns a text takes on a terminal: wide East Asian characters and emoji take two, combining ones none.
    static func width(_ text: String) -> Int {
        text.reduce(0) { width, character in
            guard let scalar = character.unicodeScalars.first else { return width }
            switch scalar.value {
            case 0..<0x20, 0x7F: return width
            case 0x1100...0x115F, 0x2E80...0xA4CF, 0xAC00...0xD7A3, 0xF900...0xFAFF, 0xFE30...0xFE6F,
                0xFF00...0xFF60, 0xFFE0...0xFFE6, 0x1F300...0x1FAFF, 0x20000...0x3FFFD:
                return width + 2
            default: return width + 1
            }
        }
    }

    static func pad(_ text: String, to width: Int) -> String {
        text + String(repeating: " ", count: max(0, width - Self.width(text)))
    }

    /// The text, or its beginning and an ellipsis.
    static func cut(_ text: String, to width: Int) -> String {
        guard Self.width(text) > width else { return text }
        guard width > 1 else { return width == 1 ? "…" : "" }
        var result = ""
        var used = 0
        for character in text {
            let more = Self.width(String(character))
            if used + more > width - 1 { break }
            result.append(character)
            used += more
        }
        return result + "…"
    }

    /// Line breaks and other control characters become spaces: what a step printed must not drive a terminal.
    static func oneLine(_ text: String) -> String {
        guard text.unicodeScalars.contains(where: isControl) else { return text }
        var result = String.UnicodeScalarView()
        for scalar in text.unicodeScalars { result.append(isControl(scalar) ? " " : scalar) }
        return String(result)
    }

    /// As `oneLine`, but lines stay lines and tabs tabs.
    static func printable(_ text: String) -> String {
        var result = String.UnicodeScalarView()
        for scalar in text.unicodeScalars {
            result.append(isControl(scalar) && scalar != "\n" && scalar != "\t" ? " " : scalar)
        }
        return String(result)
    }

    private static func isControl(_ scalar: Unicode.Scalar) -> Bool {
        scalar.value < 0x20 || (0x7F...0x9F).contains(scalar.value)
    }

    /// Every line, moved to the right.
    static func indented(_ text: String, by spaces: Int) -> String {
        text.split(separator: "\n", omittingEmptySubsequences: false)
            .map { $0.isEmpty ? "" : String(repeating: " ", count: spaces) + $0 }.joined(separator: "\n")
    }

    // MARK: Values

    /// Text as it is, anything else as JSON; on one line.
    static func value(_ value: Value) -> String {
        if let text = value.stringValue { return oneLine(text) }
        return String(decoding: JSON.compact(value), as: UTF8.self)
    }

    static func count(_ number: Int, _ noun: String, _ plural: String? = nil) -> String {
        number == 1 ? "1 \(noun)" : "\(number) \(plural ?? noun + "s")"
    }

    // MARK: Times

    /// `2026-11-20 10:15:03 UTC`; what is no time is shown as it is.
    static func time(_ rfc3339: String?) -> String {
        guard let rfc3339 else { return "" }
        guard let time = Timestamp(rfc3339: rfc3339) else { return oneLine(rfc3339) }
        let bytes = time.utf8
        guard bytes.count >= 19 else { return rfc3339 }
        return String(decoding: bytes[0..<10], as: UTF8.self) + " " + String(decoding: bytes[11..<19], as: UTF8.self)
            + " UTC"
    }

    /// The two greatest units: `4.2s`, `3m 12s`, `2h 5m`, `3d 4h`.
    static func span(_ duration: Duration) -> String {
        let microseconds = max(0, duration.microseconds)
        if microseconds < 1_000_000 { return "\(microseconds / 1_000)ms" }
        let seconds = microseconds / 1_000_000
        if seconds < 10 { return "\(seconds).\(microseconds % 1_000_000 / 100_000)s" }
        for (size, unit, smaller, smallerUnit) in [(86_400, "d", 3_600, "h"), (3_600, "h", 60, "m"), (60, "m", 1, "s")]
            as [(Int64, String, Int64, String)] where seconds >= size
        {
            let rest = seconds % size / smaller
            return rest == 0 ? "\(seconds / size)\(unit)" : "\(seconds / size)\(unit) \(rest)\(smallerUnit)"
        }
        return "\(seconds)s"
    }

    /// From one time to another; empty where one is unknown.
    static func span(from start: String?, to end: Timestamp?) -> String {
        guard let start = start.flatMap({ Timestamp(rfc3339: $0) }), let end else { return "" }
        return span(end - start)
    }

    /// `2h 5m ago`, or `in 3d 4h`.
    static func distance(_ rfc3339: String?, from now: Timestamp) -> String {
        guard let time = rfc3339.flatMap({ Timestamp(rfc3339: $0) }) else { return "" }
        return time <= now ? "\(span(now - time)) ago" : "in \(span(time - now))"
    }
}

import WaybillCore

/// What a scalar of a manifest must be.
enum ScalarRule: Sendable {
    /// `[a-z][a-z0-9-]*`
    case name
    /// `[A-Za-z][A-Za-z0-9_]*`
    case id
    case environmentName
    /// Text without `${{ }}`.
    case text
    /// The name of a user or a group of the machine.
    case person
    /// A path below the tree, without `${{ }}`.
    case path
    /// Text with `${{ }}`.
    case template
    /// 1 to 64 letters, digits, `.`, `_` or `-`, as it names a file; or `${{ }}` that gives one.
    case snapshotName
    /// Any scalar but null, as text, with `${{ }}`.
    case argument
    /// Text for a shell, where `${{ }}` is refused.
    case script
    /// A CEL expression, bare or as `${{ }}`.
    case condition
    case boolean
    /// A field that is either `true` or absent.
    case flag
    case integer(ClosedRange<Int64>)
    case duration
    /// A duration that is longer than nothing.
    case span
    /// A duration, or `${{ }}` that gives one.
    case durationTemplate
    /// A duration that is longer than nothing, or `${{ }}` that gives one.
    case spanTemplate
    /// An RFC 3339 time, or `${{ }}` that gives one.
    case timeTemplate
    /// `1MiB`, `64KiB`, or a number of bytes.
    case size
    /// A size that a program can be loaded into.
    case memory
    case word([String])
    /// `name@1`, `name@1.2` or `name@1.2.0`.
    case capability
    /// A status code, or a class of them such as `5xx`.
    case status
    /// `TERM`, `SIGTERM` or a number.
    case signal
    /// A number from 0.
    case number
    /// A number from 0, or `${{ }}` that gives one.
    case amount
    /// The name of a header field (RFC 9110, section 5.1).
    case headerName
    /// An IANA name such as `Europe/Paris`.
    case zone
    /// A semantic version: `1.2.0`.
    case version
    /// An RFC 3339 time.
    case time
}

extension ScalarRule {
    /// With its article, for "expects ..., got ...".
    var expectation: String {
        switch self {
        case .name: "a name of lower-case letters, digits and dashes that begins with a letter"
        case .id: "an id of letters, digits and underscores that begins with a letter"
        case .environmentName: "the name of an environment variable, not one of Waybill's own"
        case .text, .template: "a text"
        case .person: "the name of a user or a group"
        case .path: "a relative path"
        case .snapshotName: "a name of 1 to 64 letters, digits, `.`, `_` or `-` that begins with a letter or digit"
        case .argument: "a text or a number"
        case .script: "a script"
        case .condition: "a condition"
        case .boolean: "true or false"
        case .flag: "true"
        case .integer(let range):
            range.upperBound == .max
                ? "an integer from \(range.lowerBound)" : "an integer from \(range.lowerBound) to \(range.upperBound)"
        case .duration, .span, .durationTemplate, .spanTemplate: "a duration such as `90s`, `10m`, `1h30m` or `3d`"
        case .timeTemplate: "a time such as `2026-11-20T10:15:00Z`"
        case .size: "a size such as `64KiB`, `1MiB` or a number of bytes"
        case .memory: "a size from 1MiB such as `512MiB` or `2GiB`"
        case .word(let words): Phrase.alternatives(words)
        case .capability: "a capability with its version, such as `publish@1` or `publish@1.2.0`"
        case .status: "a status from 100 to 599 or a class such as `2xx`"
        case .signal: "a signal such as `TERM` or its number"
        case .number, .amount: "a number from 0"
        case .headerName: "the name of a header"
        case .zone: "a time zone such as `UTC` or `Europe/Paris`"
        case .version: "a version such as `1.2.0`"
        case .time: "a time such as `2026-11-20T10:15:00Z`"
        }
    }

    /// Whether `${{ }}` may stand in the scalar, or is judged elsewhere.
    private var takesTemplates: Bool {
        switch self {
        case .template, .snapshotName, .argument, .condition, .script, .durationTemplate, .spanTemplate, .timeTemplate,
            .amount:
            true
        default: false
        }
    }

    /// What is wrong with a scalar, nil if nothing is.
    func mistake(in scalar: YAMLScalar) -> Mistake? {
        let text = scalar.text
        if !takesTemplates, text.holdsTemplate {
            return Mistake(detail: "takes no `${{ }}`", hint: "write the value itself", isWhole: true)
        }
        switch self {
        case .boolean: return scalar.value.boolValue == nil ? .other(scalar) : nil
        case .flag: return scalar.value.boolValue == true ? nil : .other(scalar)
        case .integer(let range):
            guard let value = scalar.value.intValue else { return .other(scalar) }
            return range.contains(value) ? nil : .got("\(value)")
        case .size: return ScalarRule.bytes(of: scalar) == nil ? .other(scalar) : nil
        case .memory: return ScalarRule.bytes(of: scalar) ?? 0 < ScalarRule.leastMemory ? .other(scalar) : nil
        case .argument: return scalar.value.isNull ? .nothing : terminator(in: text)
        case .status: return HTTPAction.StatusRange(scalar) == nil ? .other(scalar) : nil
        case .signal: return SignalNumber.read(scalar) == nil ? signalMistake(scalar) : nil
        case .number: return (scalar.value.numberValue ?? -1) < 0 ? .other(scalar) : nil
        case .amount where !scalar.isString: return (scalar.value.numberValue ?? -1) < 0 ? .other(scalar) : nil
        case .version: return versionMistake(scalar)
        case .condition: return scalar.isString || scalar.value.boolValue != nil ? emptiness(text) : .other(scalar)
        default: break
        }
        guard scalar.isString else {
            switch self {
            case .name, .id, .text, .person, .template, .snapshotName, .word, .capability, .headerName, .zone:
                return .noText(scalar)
            default: return .other(scalar)
            }
        }
        return textMistake(text)
    }

    private func emptiness(_ text: String) -> Mistake? {
        text.utf8.allSatisfy { $0 == 0x20 || $0 == 0x0A } ? .got("an empty text") : nil
    }

    /// The kernel ends texts at a zero byte, so what stands behind one would be lost.
    private func terminator(in text: String) -> Mistake? {
        text.utf8.contains(0) ? Mistake(detail: "holds a zero byte", hint: "remove `\\0`", isWhole: true) : nil
    }

    private func textMistake(_ text: String) -> Mistake? {
        switch self {
        case .name: return Names.isName(text) ? nil : .quoted(text, hint: Names.repaired(text, separator: "-"))
        case .id: return Names.isID(text) ? nil : .quoted(text, hint: Names.repaired(text, separator: "_"))
        case .environmentName: return Names.isEnvironmentName(text) ? nil : .quoted(text)
        case .person: return Names.isPerson(text) ? nil : .quoted(text)
        case .path: return Paths.isContained(text) ? nil : .quoted(text)
        case .duration: return Duration(text: text) == nil ? .quoted(text) : nil
        case .span: return spanMistake(text)
        case .spanTemplate: return text.holdsTemplate ? nil : spanMistake(text)
        case .snapshotName: return text.holdsTemplate || Names.isSnapshotName(text) ? nil : .quoted(text)
        case .durationTemplate: return text.holdsTemplate || Duration(text: text) != nil ? nil : .quoted(text)
        case .timeTemplate: return text.holdsTemplate || Timestamp(rfc3339: text) != nil ? nil : .quoted(text)
        case .word(let words):
            return words.contains(text) ? nil : .quoted(text, hint: Suggestion.hint(for: text, among: words))
        case .script: return emptiness(text) ?? terminator(in: text)
        case .capability: return capabilityMistake(text)
        case .amount: return text.holdsTemplate ? nil : .quoted(text)
        case .headerName: return Names.isToken(text) ? nil : .quoted(text)
        case .zone: return Names.isZone(text) ? nil : .quoted(text)
        case .time: return Timestamp(rfc3339: text) == nil ? .quoted(text) : nil
        default: return nil
        }
    }

    private func spanMistake(_ text: String) -> Mistake? {
        guard let duration = Duration(text: text) else { return .quoted(text) }
        if duration > .zero { return nil }
        return Mistake(detail: "must be longer than nothing", hint: "such as `30s`", isWhole: true)
    }

    private func signalMistake(_ scalar: YAMLScalar) -> Mistake {
        guard scalar.isString else { return .other(scalar) }
        return .quoted(scalar.text, hint: Suggestion.hint(for: scalar.text, among: SignalNumber.names.keys.sorted()))
    }

    private func capabilityMistake(_ text: String) -> Mistake? {
        if Names.capability(text) != nil { return nil }
        return .quoted(text, hint: Names.isName(text) ? "say which version is meant: `\(text)@1`" : nil)
    }

    private func versionMistake(_ scalar: YAMLScalar) -> Mistake? {
        if scalar.isString, (try? SemanticVersion(scalar.text)) != nil { return nil }
        let digits = scalar.text.split(separator: ".", omittingEmptySubsequences: false)
        let isShort = digits.count < 3 && digits.allSatisfy { !$0.isEmpty && $0.utf8.allSatisfy(\.isDigit) }
        let full = (digits + ["0", "0"]).prefix(3).joined(separator: ".")
        return .quoted(scalar.text, hint: isShort ? "write `\(full)`" : nil)
    }

    /// Bytes: no program starts in less.
    static let leastMemory = 1 << 20

    /// The bytes a size stands for.
    static func bytes(of scalar: YAMLScalar) -> Int? {
        if let count = scalar.value.intValue { return count >= 1 ? Int(exactly: count) : nil }
        let digits = scalar.text.utf8.prefix { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
        let unit = String(scalar.text.utf8.dropFirst(digits.count)) ?? ""
        guard let count = Int(String(digits) ?? ""), count >= 1 else { return nil }
        let units = ["B": 0, "KiB": 10, "MiB": 20, "GiB": 30]
        guard let shift = units[unit], count <= Int.max >> (shift + 1) else { return nil }
        return count << shift
    }
}

/// What is wrong with a scalar.
struct Mistake {
    /// What was found, or, if `isWhole`, the rest of the sentence.
    let detail: String
    let hint: String?
    let isWhole: Bool

    static func got(_ detail: String, hint: String? = nil) -> Mistake {
        Mistake(detail: detail, hint: hint, isWhole: false)
    }

    static let nothing = got("nothing", hint: "write \"\" for an empty text")

    static func quoted(_ text: String, hint: String? = nil) -> Mistake { got(Phrase.quoted(text), hint: hint) }

    /// A scalar of another type.
    static func other(_ scalar: YAMLScalar) -> Mistake {
        if scalar.value.isNull { return got("nothing") }
        if scalar.isString { return quoted(scalar.text) }
        return got("\(Phrase.article(scalar.value.kindName)) (\(Phrase.quoted(scalar.text)))")
    }

    /// A number, a boolean or nothing where a text must stand.
    static func noText(_ scalar: YAMLScalar) -> Mistake {
        let other = other(scalar)
        return scalar.value.isNull ? other : got(other.detail, hint: "put quotes around it if a text is meant")
    }
}

import WaybillCore
import WaybillManifests

/// Runs cases in the format of `conformance/yaml/README.md`.
///
/// What libyaml itself reads as the suite wants (`libyaml_ok`) must give the suite's events and JSON. Of the rest only
/// an error is asked where libyaml refuses. Where Waybill refuses more than YAML does (duplicate keys, merge keys,
/// custom tags, keys that are no text) the events must still be right, and the case is listed by its rule.
///
/// - Parameter report: gets a line for each failing case and each case refused by rule.
func runYAMLSuite(
    lines: some Sequence<[UInt8]>, report: (String) -> Void
) -> (passed: Int, failed: Int, skipped: Int) {
    var passed = 0
    var failed = 0
    for line in lines where !line.isEmpty {
        guard let test = try? JSON.parse(line), let text = test["yaml"]?.stringValue else {
            report("unreadable line: \(String(decoding: line.prefix(80), as: UTF8.self))")
            failed += 1
            continue
        }
        let id = test["id"]?.stringValue ?? "?"
        switch YAMLCase(test: test, bytes: Array(text.utf8)).verdict() {
        case .passed: passed += 1
        case .refusedByRule(let rule):
            report("\(id): refused by rule \(rule)")
            passed += 1
        case .failed(let expected, let actual):
            report("\(id): FAILED\n  expected: \(expected)\n  actual:   \(actual)")
            failed += 1
        }
    }
    return (passed, failed, 0)
}

private struct YAMLCase {
    enum Verdict {
        case passed
        case refusedByRule(String)
        case failed(expected: String, actual: String)
    }

    let test: Value
    let bytes: [UInt8]

    func verdict() -> Verdict {
        let stream = YAML.documents(bytes)
        let problem = stream.problems.first
        if test["libyaml_ok"] != true {
            let mustRefuse = test["libyaml_accepts"] == false
            return mustRefuse && problem == nil ? .failed(expected: "an error", actual: "accepted") : .passed
        }
        if test["fail"] == true {
            return problem == nil ? .failed(expected: "an error", actual: "accepted") : .passed
        }
        let expected = (test["events"]?.listValue ?? []).compactMap(\.stringValue)
        let events = (try? notation(of: bytes)) ?? ["error: \(problem?.message ?? "none")"]
        if !events.elementsEqual(expected, by: { $0.isIdenticalUTF8(to: $1) }) {
            return .failed(expected: expected.joined(separator: " | "), actual: events.joined(separator: " | "))
        }
        if let problem {
            switch problem.code {
            case .duplicateKey, .mergeKey, .tag, .key: return .refusedByRule(problem.code.rawValue)
            default: return .failed(expected: "accepted", actual: "\(problem.mark): \(problem.message)")
            }
        }
        guard let wanted = test["json"]?.listValue else { return .passed }
        let values = stream.documents.map(\.value)
        if values.count == wanted.count, zip(values, wanted).allSatisfy({ isSameJSON($0, $1) }) { return .passed }
        return .failed(expected: "\(wanted)", actual: "\(values)")
    }

    /// JSON has one kind of number: `1` and `1.0` are the same there.
    private func isSameJSON(_ left: Value, _ right: Value) -> Bool {
        switch (left, right) {
        case (.list(let left), .list(let right)):
            left.count == right.count && zip(left, right).allSatisfy { isSameJSON($0, $1) }
        case (.object(let left), .object(let right)):
            left.count == right.count
                && zip(left, right).allSatisfy { $0.key.isIdenticalUTF8(to: $1.key) && isSameJSON($0.value, $1.value) }
        default:
            left == right || (left.numberValue != nil && left.numberValue == right.numberValue)
        }
    }
}

/// The events in the suite's notation.
private func notation(of bytes: [UInt8]) throws -> [String] {
    let reader = YAMLEventReader(bytes)
    var lines: [String] = []
    while let event = try reader.next() {
        switch event.kind {
        case .streamStart: lines.append("+STR")
        case .streamEnd: lines.append("-STR")
        case .documentStart(let isExplicit): lines.append(isExplicit ? "+DOC ---" : "+DOC")
        case .documentEnd(let isExplicit): lines.append(isExplicit ? "-DOC ..." : "-DOC")
        case .alias(let name): lines.append("=ALI *\(name)")
        case .sequenceStart(let isFlow, let properties): lines.append("+SEQ" + (isFlow ? " []" : "") + text(properties))
        case .sequenceEnd: lines.append("-SEQ")
        case .mappingStart(let isFlow, let properties): lines.append("+MAP" + (isFlow ? " {}" : "") + text(properties))
        case .mappingEnd: lines.append("-MAP")
        case .scalar(let value, let style, let properties):
            lines.append("=VAL\(text(properties)) \(indicator(style))\(escaped(value))")
        }
    }
    return lines
}

private func text(_ properties: YAMLEvent.Properties) -> String {
    (properties.anchor.map { " &\($0)" } ?? "") + (properties.tag.map { " <\($0)>" } ?? "")
}

private func indicator(_ style: YAMLScalarStyle) -> Character {
    switch style {
    case .plain: ":"
    case .singleQuoted: "'"
    case .doubleQuoted: "\""
    case .literal: "|"
    case .folded: ">"
    }
}

private func escaped(_ text: String) -> String {
    var result = ""
    for scalar in text.unicodeScalars {
        switch scalar {
        case "\\": result += "\\\\"
        case "\n": result += "\\n"
        case "\t": result += "\\t"
        case "\r": result += "\\r"
        case "\u{8}": result += "\\b"
        default: result.unicodeScalars.append(scalar)
        }
    }
    return result
}

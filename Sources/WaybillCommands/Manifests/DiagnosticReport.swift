import WaybillCore
import WaybillManifests

/// The diagnostics of a tree in one of the forms that people, programs and other tools read.
struct DiagnosticReport {
    let diagnostics: [Diagnostic]
    /// What was read, for the last line: `3 workflows, 1 policy`.
    let summary: String
    /// Which policies will apply to what.
    var coverage: [PolicyCoverage] = []
    /// Whether the text names every step that a policy applies to.
    var listsSteps = false

    var errors: Int { diagnostics.count { $0.level == .error } }
    var warnings: Int { diagnostics.count { $0.level == .warning } }

    /// Warnings that touch a requirement or a contract become errors.
    static func strict(_ diagnostics: [Diagnostic]) -> [Diagnostic] {
        diagnostics.map { diagnostic in
            var diagnostic = diagnostic
            let isPromoted = diagnostic.kind == .requirement || diagnostic.kind == .contract
            if diagnostic.level == .warning, isPromoted { diagnostic.level = .error }
            return diagnostic
        }
    }

    /// Each diagnostic as compilers print them, a line that counts, and where nothing is wrong what each policy is about.
    func text(for terminal: Terminal) -> String {
        var lines = diagnostics.map { diagnostic in
            let colour: Terminal.Colour =
                switch diagnostic.level {
                case .error: .red
                case .warning: .yellow
                case .note: .dim
                }
            var line = diagnostic.place.map { "\($0): " } ?? ""
            line += "\(terminal.paint(diagnostic.level.rawValue, colour)): \(Text.printable(diagnostic.message))"
            if let hint = diagnostic.hint { line += "\n  hint: \(Text.printable(hint))" }
            return line
        }
        if errors == 0, warnings == 0 {
            lines.append("\(terminal.paint("ok", .green)): \(summary)")
        } else {
            lines.append("\(Text.count(errors, "error")), \(Text.count(warnings, "warning")); valid: \(summary)")
        }
        if errors == 0 { lines += listsSteps ? coveredSteps : coveredWorkflows }
        return lines.joined(separator: "\n") + "\n"
    }

    /// A line for each policy.
    private var coveredWorkflows: [String] {
        policies.map { policy in
            let parts = coverage.filter { $0.policy == policy }
            let steps = parts.reduce(0) { $0 + $1.steps.count }
            let workflows = Text.count(parts.count, "workflow")
            guard parts.contains(where: { $0.runRules != $0.rules }) else {
                return "policy \(policy): every run of \(workflows) (--policies lists them)"
            }
            return "policy \(policy): \(Text.count(steps, "step")) of \(workflows) (--policies lists them)"
        }
    }

    /// A line for each policy and workflow, with the steps in it.
    private var coveredSteps: [String] {
        coverage.map { part in
            let mode = part.mode == .enforce ? "" : " (\(part.mode.rawValue))"
            let steps =
                part.isWhole ? "every step" : part.steps.isEmpty ? "no step" : part.steps.joined(separator: ", ")
            var parts = part.runRules == part.rules ? [] : [steps]
            if !part.runRules.isEmpty { parts.append("the whole run (\(part.runRules.joined(separator: ", ")))") }
            return "policy \(part.policy)\(mode): \(part.workflow): \(parts.joined(separator: "; "))"
        }
    }

    private var policies: [String] {
        var names: [String] = []
        for part in coverage where !names.contains(part.policy) { names.append(part.policy) }
        return names
    }

    var value: Value {
        [
            "ok": .bool(errors == 0), "errors": .int(Int64(errors)), "warnings": .int(Int64(warnings)),
            "diagnostics": .list(diagnostics.map(\.value)), "policies": .list(coverage.map(\.value)),
        ]
    }

    /// Annotations of GitHub Actions (workflow commands, "Setting an error message").
    var annotations: String {
        diagnostics.map { diagnostic in
            let command: String =
                switch diagnostic.level {
                case .error: "error"
                case .warning: "warning"
                case .note: "notice"
                }
            var properties: [String] = []
            if let place = diagnostic.place {
                properties = ["file=\(Self.property(place.file))", "line=\(place.line)", "col=\(place.column)"]
            }
            properties.append("title=\(Self.property("waybill \(diagnostic.kind.rawValue)"))")
            let message = diagnostic.hint.map { "\(diagnostic.message)\nhint: \($0)" } ?? diagnostic.message
            return "::\(command) \(properties.joined(separator: ","))::\(Self.data(message))\n"
        }.joined()
    }

    private static func data(_ text: String) -> String {
        text.replacing("%", with: "%25").replacing("\r", with: "%0D").replacing("\n", with: "%0A")
    }

    private static func property(_ text: String) -> String {
        data(text).replacing(":", with: "%3A").replacing(",", with: "%2C")
    }

    /// SARIF 2.1.0 (OASIS), one run with one result for each diagnostic.
    var sarif: Value {
        let kinds = Diagnostic.Kind.allCases.map(\.rawValue)
        let rules: [Value] = kinds.map { ["id": .string($0), "name": .string($0)] }
        let results: [Value] = diagnostics.map { diagnostic in
            let text = diagnostic.hint.map { "\(diagnostic.message) (\($0))" } ?? diagnostic.message
            var result: Object = [
                "ruleId": .string(diagnostic.kind.rawValue), "level": .string(diagnostic.level.rawValue),
                "ruleIndex": .int(Int64(kinds.firstIndex(of: diagnostic.kind.rawValue) ?? 0)),
                "message": ["text": .string(text)],
            ]
            if let place = diagnostic.place {
                result["locations"] = [
                    [
                        "physicalLocation": [
                            "artifactLocation": ["uri": .string(Self.uri(place.file)), "uriBaseId": "%SRCROOT%"],
                            "region": [
                                "startLine": .int(Int64(place.line)), "startColumn": .int(Int64(place.column)),
                            ],
                        ]
                    ]
                ]
            }
            return .object(result)
        }
        return [
            "$schema": "https://json.schemastore.org/sarif-2.1.0.json", "version": "2.1.0",
            "runs": [
                [
                    "tool": [
                        "driver": [
                            "name": "waybill", "semanticVersion": .string(Version.current), "rules": .list(rules),
                        ]
                    ],
                    "columnKind": "unicodeCodePoints", "results": .list(results),
                ]
            ],
        ]
    }

    /// A relative path as a URI reference (RFC 3986, section 2.3).
    private static func uri(_ path: String) -> String {
        var text = ""
        for byte in path.utf8 {
            let scalar = Unicode.Scalar(byte)
            if byte.isLetterOrDigit || "-._~/".unicodeScalars.contains(scalar) {
                text.unicodeScalars.append(scalar)
            } else {
                text += "%" + (byte < 16 ? "0" : "") + String(byte, radix: 16, uppercase: true)
            }
        }
        return text
    }
}

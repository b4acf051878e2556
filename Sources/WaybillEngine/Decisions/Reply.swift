package import WaybillCore
import WaybillExpressions
package import WaybillManifests

/// Judges answers: what a file says, and whether the wait takes it.
package struct Reply: Sendable {
    package struct Refusal: Error, Sendable, Hashable {
        package var kind: RefusalKind
        package var message: String
    }

    package static let approvalSchema: Value = [
        "type": "object", "properties": ["approve": ["type": "boolean"], "comment": ["type": "string"]],
        "required": ["approve"],
    ]
    /// What may be said of an attempt whose outcome is unknown.
    package static let unknownChoices = ["done", "failed", "retry"]

    private let form: ReplyForm
    private var choices: [String] = []
    private var schema: JSONSchema?
    private var schemaValue: Value = .null

    package init(_ reply: AskAction.Reply) {
        switch reply {
        case .any: form = .any
        case .schema(let schema, let value):
            form = .schema
            self.schema = schema
            schemaValue = value
        case .choices(let choices):
            form = .choices
            self.choices = choices
        case .approval: form = .approval
        }
    }

    package static let unknownOutcome = Reply(form: .unknown)

    private init(form: ReplyForm) { self.form = form }

    /// Whether a value is a valid answer; the success is the answer as the step's output has it.
    package func judge(_ value: Value) -> Result<Value, Refusal> {
        switch form {
        case .any: return .success(value)
        case .schema:
            let violations = schema?.validate(value) ?? []
            guard let first = violations.first else {
                return .success(value.fitted(to: TypeShape(schema: schemaValue)))
            }
            return refuse(first.message)
        case .choices:
            guard let text = value.stringValue, choices.contains(where: { $0.isIdenticalUTF8(to: text) }) else {
                return refuse("expected one of \(choices.joined(separator: ", ")), got \(Self.shown(value))")
            }
            return .success(value)
        case .approval: return judgeApproval(value)
        case .unknown: return judgeUnknown(value)
        }
    }

    private func judgeApproval(_ value: Value) -> Result<Value, Refusal> {
        if let approve = value.boolValue { return .success(["approve": .bool(approve)]) }
        if let text = value.stringValue {
            guard let approve = Self.yesOrNo(text) else {
                return refuse("expected yes or no, got \(Self.shown(value))")
            }
            return .success(["approve": .bool(approve)])
        }
        guard let object = value.objectValue else {
            return refuse("expected {\"approve\": true} or {\"approve\": false}, got \(value.kindName)")
        }
        guard let approve = object["approve"] else { return refuse("approve: is missing") }
        guard approve.boolValue != nil else { return refuse("approve: expected boolean, got \(approve.kindName)") }
        if let comment = object["comment"], comment.stringValue == nil {
            return refuse("comment: expected string, got \(comment.kindName)")
        }
        if let other = object.keys.first(where: { $0 != "approve" && $0 != "comment" }) {
            return refuse("\(other): is not a member of an approval; expected approve and comment")
        }
        return .success(value)
    }

    private func judgeUnknown(_ value: Value) -> Result<Value, Refusal> {
        let result = value.stringValue ?? value["result"]?.stringValue
        guard let result, Self.unknownChoices.contains(result) else {
            return refuse("expected done, failed or retry, got \(Self.shown(value))")
        }
        return .success(value.stringValue == nil ? value : ["result": .string(result)])
    }

    private func refuse(_ message: String) -> Result<Value, Refusal> {
        .failure(Refusal(kind: .schema, message: message))
    }

    static func yesOrNo(_ text: String) -> Bool? {
        switch text.lowercased() {
        case "yes", "y": true
        case "no", "n": false
        default: nil
        }
    }

    private static func shown(_ value: Value) -> String {
        let text = String(decoding: JSON.compact(value), as: UTF8.self)
        return text.utf8.count > 80 ? value.kindName : text
    }

    // MARK: - Bytes

    /// Reads the bytes of an answer as its extension says. Plain text serves choices, strings and approvals.
    package func parse(_ bytes: [UInt8], as format: AnswerName.Format?) -> Result<Value, Refusal> {
        switch format {
        case .json:
            do throws(JSONError) {
                return .success(try JSON.parse(bytes, limits: ValueLimits.parsing))
            } catch {
                return .failure(
                    Refusal(
                        kind: .syntax, message: "\(error.message) (line \(error.line), column \(error.column))"))
            }
        case .yaml: return Self.parseYAML(bytes)
        case .text: return parseText(bytes)
        case nil:
            return .failure(Refusal(kind: .syntax, message: "expected a name that ends in .json, .yaml or .txt"))
        }
    }

    static func parseYAML(_ bytes: [UInt8]) -> Result<Value, Refusal> {
        do throws(YAMLError) {
            let value = try YAML.value(bytes)
            guard !ValueLimits.isTooDeep(value) else {
                return .failure(
                    Refusal(kind: .syntax, message: "is nested deeper than \(ValueLimits.depth) levels"))
            }
            return .success(value)
        } catch {
            let place = "(line \(error.mark.line), column \(error.mark.column))"
            return .failure(Refusal(kind: .syntax, message: "\(error.message) \(place)"))
        }
    }

    private func parseText(_ bytes: [UInt8]) -> Result<Value, Refusal> {
        guard let text = String(validating: bytes, as: UTF8.self) else {
            return .failure(Refusal(kind: .syntax, message: "is not UTF-8"))
        }
        let isString = form == .schema && schemaValue["type"] == .string("string")
        guard form != .schema || isString else {
            return .failure(
                Refusal(kind: .syntax, message: "plain text is no answer to a schema that is not a string; use .json"))
        }
        // Text that is kept as it is loses the one newline that editors and `echo` add; a word loses all white space.
        guard isString || form == .any else { return .success(.string(Self.trimmed(text))) }
        return .success(.string(text.utf8.last == UInt8(ascii: "\n") ? String(text.dropLast()) : text))
    }

    private static func trimmed(_ text: String) -> String {
        var view = text[...]
        while let first = view.unicodeScalars.first, first.properties.isWhitespace { view = view.dropFirst() }
        while let last = view.unicodeScalars.last, last.properties.isWhitespace { view = view.dropLast() }
        return String(view)
    }
}

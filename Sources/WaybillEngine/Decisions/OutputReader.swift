import WaybillCore
import WaybillExpressions
import WaybillManifests

/// Turns the bytes a process left into the step's output.
struct OutputReader {
    private let definition: OutputDefinition?

    init(_ definition: OutputDefinition?) { self.definition = definition }

    /// Nil is a step without output. Truncated output is never parsed.
    func read(_ output: AttemptResult.Output) -> Result<Value?, EvaluationFailure> {
        guard let definition else { return .success(nil) }
        let source = definition.source == .file ? "the file WAYBILL_OUTPUT" : "standard output"
        switch output {
        case .none: return .failure(fail("\(source) was not read"))
        case .missing(let reason): return .failure(fail("\(source): \(reason)"))
        case .tooLarge(let size):
            return .failure(fail("\(source) has \(size) bytes, more than its maxSize of \(definition.maxSize)"))
        case .bytes(let bytes):
            return parse(bytes, definition, source).flatMap { value in
                let violations = definition.schema?.validate(value, echoesValues: !definition.isSensitive)
                guard let violation = violations?.first else {
                    return .success(definition.schemaValue.map { value.fitted(to: TypeShape(schema: $0)) } ?? value)
                }
                return .failure(fail("output does not fit its schema: \(violation.message)"))
            }
        }
    }

    private func parse(
        _ bytes: [UInt8], _ definition: OutputDefinition, _ source: String
    ) -> Result<Value, EvaluationFailure> {
        if definition.format == .json {
            do throws(JSONError) {
                return .success(try JSON.parse(bytes, limits: ValueLimits.parsing))
            } catch {
                // A message may quote what it stumbled over.
                if definition.isSensitive {
                    return .failure(fail("\(source) is no JSON (line \(error.line), column \(error.column))"))
                }
                return .failure(
                    fail("\(source) is no JSON: \(error.message) (line \(error.line), column \(error.column))"))
            }
        }
        guard let text = String(validating: bytes, as: UTF8.self) else {
            return .failure(fail("\(source) is not UTF-8"))
        }
        if definition.format == .text { return .success(.string(Self.withoutFinalNewline(text))) }
        guard !text.isEmpty else { return .success(.list([])) }
        // Split by bytes: Swift would take "\r\n" for one character.
        let lines = Self.withoutFinalNewline(text).utf8.split(
            separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
        return .success(.list(lines.map { .string(String(Substring($0))) }))
    }

    private static func withoutFinalNewline(_ text: String) -> String {
        guard text.utf8.last == UInt8(ascii: "\n") else { return text }
        return String(decoding: text.utf8.dropLast(), as: UTF8.self)
    }

    private func fail(_ message: String) -> EvaluationFailure {
        EvaluationFailure(Failure(.verification, message))
    }
}

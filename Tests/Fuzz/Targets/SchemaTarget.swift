import WaybillCore
import WaybillExpressions
import WaybillManifests

/// A list in JSON: a schema, and values that it judges.
func fuzzSchema(_ bytes: [UInt8]) {
    guard let parts = (try? JSON.parse(bytes))?.listValue, let source = parts.first else { return }
    let schema: JSONSchema
    do throws(JSONSchemaError) {
        schema = try JSONSchema(source)
    } catch {
        return require(!error.message.isEmpty, "a refusal says why")
    }
    let shape = TypeShape(schema: source)
    for value in parts.dropFirst().prefix(4) {
        let isValid = schema.isValid(value)
        let violations = schema.validate(value)
        require(violations.isEmpty == isValid, "what is invalid has a reason, and what is valid has none")
        require(violations.count <= 100, "violations are bounded")
        require(violations.allSatisfy { !$0.message.isEmpty }, "a violation says something")
        guard isValid else { continue }
        let fitted = value.fitted(to: shape)
        require(schema.isValid(fitted), "a value that was fitted to its schema is still valid")
        require(
            CELValue(fitted).fits(shape) || fitted.holdsHugeInteger, "a valid value has the type expressions expect")
    }
}

extension Value {
    /// A whole number beyond 64 bits is an integer to a schema and a double to an expression.
    fileprivate var holdsHugeInteger: Bool {
        switch self {
        case .double(let number): abs(number) >= 0x1p63
        case .list(let elements): elements.contains { $0.holdsHugeInteger }
        case .object(let object): object.contains { $0.value.holdsHugeInteger }
        default: false
        }
    }
}

package import WaybillCore
package import WaybillExpressions

extension Value {
    /// The value with every integer as a double where its schema says `number`, and `82.0` as 82 where it says
    /// `integer`: to a schema both are the same number, and expressions that were checked against the schema must find
    /// the type they were checked with. A whole number beyond 64 bits stays a double.
    package func fitted(to shape: TypeShape) -> Value {
        switch (shape, self) {
        case (.double, .int(let number)): .double(Double(number))
        case (.int, .double(let number)): Int64(exactly: number).map { .int($0) } ?? self
        case (.nullable(let inner), _): fitted(to: inner)
        case (.list(let element), .list(let values)) where element != .dyn:
            .list(values.map { $0.fitted(to: element) })
        case (.map(_, let element), .object(let object)) where element != .dyn:
            .object(Object(object.map { ($0.key, $0.value.fitted(to: element)) }))
        case (.object(let fields), .object(let object)):
            .object(
                Object(object.map { ($0.key, $0.value.fitted(to: fields.fields[$0.key] ?? fields.others ?? .dyn)) }))
        default: self
        }
    }
}

import Foundation
import WaybillCore
import WaybillExpressions

/// Foundation has an `Expression` too.
private typealias Expression = WaybillExpressions.Expression

/// `cel`: the language's own cases. Skipped are only libraries that are not offered: network and block.
func runCELSuite(lines: [String], path: String, report: Report) throws {
    let zones = ZoneFiles { name in
        FileManager.default.contents(atPath: "/usr/share/zoneinfo/\(name)").map { [UInt8]($0) }
    }
    for line in lines {
        let test = CELCase(json: try JSON.parse(line))
        if test.requires.contains("ext:network") || test.requires.contains("ext:block") {
            report.skip()
            continue
        }
        test.run(zones, report)
    }
}

private struct CELCase {
    let json: Value

    var id: String { json["id"]?.stringValue ?? "?" }
    var requires: [String] { json["requires"]?.listValue?.compactMap(\.stringValue) ?? [] }
    var source: String { json["expr"]?.stringValue ?? "" }

    /// A case passes if the deduced type, the value or the error are the expected ones.
    func run(_ zones: any TimeZoneSource, _ report: Report) {
        let expect = json["expect"] ?? .null
        let expression: Expression
        do throws(InvalidExpression) {
            expression = try Expression.compile(source, declarations: declarations)
        } catch {
            let isExpected = expect["error"] == .bool(true)
            let messages = error.diagnostics.map(\.message).joined(separator: "; ")
            report.check(id, isExpected, expected: text(expect), actual: "refused: \(messages)")
            return
        }
        if let type = expect["deduced_type"]?.stringValue, expression.shape.description != type {
            report.fail(id, expected: type, actual: expression.shape.description)
            return
        }
        if json["check_only"] == .bool(true) {
            report.pass()
            return
        }
        evaluate(expression, expect, zones, report)
    }

    private func evaluate(
        _ expression: Expression, _ expect: Value, _ zones: any TimeZoneSource, _ report: Report
    ) {
        var variables: [String: CELValue] = [:]
        for (name, value) in json["bindings"]?.objectValue ?? [:] { variables[name] = CELValue(tagged: value) }
        do {
            let value = try expression.evaluate(in: Variables(variables, zones: zones))
            let wanted = expect["value"].flatMap { CELValue(tagged: $0) }
            report.check(id, value == wanted, expected: text(expect), actual: value.summary)
        } catch {
            report.check(id, expect["error"] == .bool(true), expected: text(expect), actual: "error: \(error)")
        }
    }

    private func text(_ value: Value) -> String { String(decoding: JSON.compact(value), as: UTF8.self) }

    /// What the case declares, and what it binds without declaring.
    private var declarations: Declarations {
        var declarations = Declarations(isChecked: json["disable_check"] != .bool(true))
        declarations.container = json["container"]?.stringValue ?? ""
        for name in json["bindings"]?.objectValue?.keys ?? [] { declarations.variables[name] = .dyn }
        for declaration in json["type_env"]?.listValue ?? [] {
            guard let name = declaration["name"]?.stringValue else { continue }
            if let type = declaration["type"]?.stringValue {
                declarations.variables[name] = TypeShape(notation: type) ?? .dyn
            }
            for overload in declaration["overloads"]?.listValue ?? [] {
                let parameters = overload["params"]?.listValue?.compactMap(\.stringValue) ?? []
                declarations.functions.append(
                    Signature(
                        function: name, parameters: parameters.map { TypeShape(notation: $0) ?? .dyn },
                        result: overload["result"]?.stringValue.flatMap { TypeShape(notation: $0) } ?? .dyn,
                        isMember: overload["member"] == .bool(true)))
            }
        }
        return declarations
    }
}

extension CELValue {
    /// Reads `{"int": "5"}` and its like.
    fileprivate init?(tagged value: Value) {
        guard let (tag, inner) = value.objectValue?.first else { return nil }
        switch (tag, inner) {
        case ("null", _): self = .null
        case ("bool", .bool(let value)): self = .bool(value)
        case ("int", .string(let text)): self = .int(Int64(text) ?? 0)
        case ("uint", .string(let text)): self = .uint(UInt64(text) ?? 0)
        case ("double", .string(let text)): self = .double(Double(text) ?? .nan)
        case ("string", .string(let text)): self = .string(text)
        case ("bytes", .string(let text)): self = .bytes([UInt8](Data(base64Encoded: text) ?? Data()))
        case ("list", .list(let items)): self = .list(items.compactMap { CELValue(tagged: $0) })
        case ("map", .list(let entries)):
            let elements = entries.compactMap { entry -> CELMap.Element? in
                guard let pair = entry.listValue, pair.count == 2, let key = CELValue(tagged: pair[0]),
                    let mapKey = MapKey(key), let value = CELValue(tagged: pair[1])
                else { return nil }
                return (mapKey, value)
            }
            guard let map = CELMap(unique: elements) else { return nil }
            self = .map(map)
        case ("timestamp", .string(let text)):
            guard let time = CELTimestamp(rfc3339: text) else { return nil }
            self = .timestamp(time)
        case ("duration", .string(let text)):
            guard let duration = CELDuration(text: text) else { return nil }
            self = .duration(duration)
        case ("type", .string(let name)): self = .type(name)
        default: return nil
        }
    }
}

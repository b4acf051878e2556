import Foundation
import WaybillCore

/// `jcs`: pairs of documents and their canonical bytes, or doubles and their text.
func runCanonicalSuite(lines: [String], path: String, report: Report) throws {
    for line in lines {
        let test = try JSON.parse(line)
        if let hex = test["hex"]?.stringValue {
            try checkNumber(hex, test, report)
        } else {
            try checkPair(test, report)
        }
    }
}

private func checkNumber(_ hex: String, _ test: Value, _ report: Report) throws {
    guard let bits = UInt64(hex, radix: 16) else { throw SuiteError(message: "'\(hex)' is no double") }
    let written = try? JSON.canonical(.double(Double(bitPattern: bits)))
    let actual = written.map { String(decoding: $0, as: UTF8.self) }
    let expected = test["error"] == .bool(true) ? nil : test["expect"]?.stringValue
    report.check(hex, actual == expected, expected: expected ?? "an error", actual: actual ?? "an error")
}

private func checkPair(_ test: Value, _ report: Report) throws {
    guard let id = test["id"]?.stringValue,
        let input = test["input_b64"]?.stringValue.flatMap({ Data(base64Encoded: $0) }),
        let output = test["output_b64"]?.stringValue.flatMap({ Data(base64Encoded: $0) }),
        let digest = test["output_sha256"]?.stringValue
    else { throw SuiteError(message: "a pair lacks id, input_b64, output_b64 or output_sha256") }
    let value = try JSON.parse([UInt8](input)).withDoublesAsInRFC8785
    let bytes = try JSON.canonical(value)
    report.check(
        id, bytes == [UInt8](output) && Digest.sha256(bytes).hex == digest,
        expected: String(decoding: output, as: UTF8.self), actual: String(decoding: bytes, as: UTF8.self))
}

extension Value {
    /// RFC 8785 reads every number as a double; Waybill writes integers in full, which differs beyond 2^53.
    fileprivate var withDoublesAsInRFC8785: Value {
        switch self {
        case .int(let number) where number.magnitude > 1 << 53: .double(Double(number))
        case .list(let elements): .list(elements.map(\.withDoublesAsInRFC8785))
        case .object(let object): .object(Object(object.map { ($0.key, $0.value.withDoublesAsInRFC8785) }))
        default: self
        }
    }
}

import Foundation
import Testing
import WaybillCore

/// The published cases lie beside the repository on the machines that have them.
enum ConformanceData {
    static func file(_ name: String) -> String {
        let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().deletingLastPathComponent()
        return root.appendingPathComponent("../shared/conformance/\(name)").path
    }

    static func exists(_ name: String) -> Bool { FileManager.default.fileExists(atPath: file(name)) }

    static func cases(_ name: String) throws -> [Value] {
        let text = try String(contentsOf: URL(fileURLWithPath: file(name)), encoding: .utf8)
        return try text.split(separator: "\n").map { try JSON.parse(String($0)) }
    }
}

@Suite("JSON against the published cases")
struct JSONConformanceTests {
    @Test(
        "what must be accepted is, what must be refused is",
        .enabled(if: ConformanceData.exists("json_parsing/cases.jsonl")))
    func parsing() throws {
        let limits = JSON.Limits(allowsDuplicateMembers: true)
        for test in try ConformanceData.cases("json_parsing/cases.jsonl") {
            let bytes = try #require(Data(base64Encoded: test["bytes_b64"]?.stringValue ?? "-"))
            let isAccepted = (try? JSON.parse([UInt8](bytes), limits: limits)) != nil
            if test["expect"] == "either" { continue }
            #expect(isAccepted == (test["expect"] == "accept"), "\(test["id"]?.stringValue ?? "")")
        }
    }

    @Test("doubles are written as RFC 8785 has them", .enabled(if: ConformanceData.exists("jcs/numbers.jsonl")))
    func numbers() throws {
        for test in try ConformanceData.cases("jcs/numbers.jsonl") {
            let hex = try #require(test["hex"]?.stringValue)
            let bits = try #require(UInt64(hex, radix: 16))
            let written = (try? JSON.canonical(.double(Double(bitPattern: bits)))).map {
                String(decoding: $0, as: UTF8.self)
            }
            #expect(written == test["expect"]?.stringValue, "\(hex)")
        }
    }

    @Test("documents are made canonical as RFC 8785 has them", .enabled(if: ConformanceData.exists("jcs/pairs.jsonl")))
    func pairs() throws {
        for test in try ConformanceData.cases("jcs/pairs.jsonl") {
            let input = try #require(Data(base64Encoded: test["input_b64"]?.stringValue ?? "-"))
            let value = try JSON.parse([UInt8](input))
            let id = test["id"]?.stringValue ?? ""
            #expect(Digest.sha256(try JSON.canonical(value)).hex == test["output_sha256"]?.stringValue, "\(id)")
        }
    }
}

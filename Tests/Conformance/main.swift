import Foundation
import WaybillCore

// conformance <cel|cron|json|jcs|jsonschema|yaml> <file.jsonl>...
// Prints each case that fails and closes with the counts; the exit status is 0 if none failed, 2 for usage.

/// A suite reads one file of cases; it gets the file's path to find what lies beside it.
typealias Suite = (_ lines: [String], _ path: String, _ report: Report) throws -> Void

let suites: [String: Suite] = [
    "cel": runCELSuite,
    "cron": runCronSuite,
    "json": runJSONSuite,
    "jcs": runCanonicalSuite,
    "jsonschema": runJSONSchemaSuite,
    "yaml": { lines, _, report in
        report.add(runYAMLSuite(lines: lines.map { Array($0.utf8) }) { print($0) })
    },
]

/// The lines of a file in JSON Lines, without the empty one at the end.
func lines(ofFile path: String) throws -> [String] {
    let text = try String(contentsOf: URL(fileURLWithPath: path), encoding: .utf8)
    return text.split(separator: "\n").map(String.init)
}

let arguments = CommandLine.arguments.dropFirst()
guard let name = arguments.first, let suite = suites[name], arguments.count > 1 else {
    let names = suites.keys.sorted().joined(separator: "|")
    FileHandle.standardError.write(Data("usage: conformance <\(names)> <file.jsonl>...\n".utf8))
    exit(2)
}
let report = Report()
for path in arguments.dropFirst() {
    do {
        try suite(try lines(ofFile: path), path, report)
    } catch {
        FileHandle.standardError.write(Data("\(path): \(error)\n".utf8))
        exit(2)
    }
}
print(report.summary)
exit(report.failed == 0 ? 0 : 1)

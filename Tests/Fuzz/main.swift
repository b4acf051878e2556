import CFuzzer
import Foundation

// fuzz <target> [libFuzzer's options, corpora and files]
// Feeds one reader with what libFuzzer makes up, and ends with a report at the first property that does not hold.

let targets: [String: @Sendable ([UInt8]) -> Void] = [
    "calls": fuzzCalls,
    "checkpoint": fuzzCheckpoint,
    "cron": fuzzCron,
    "door": fuzzDoor,
    "expression": fuzzExpression,
    "inbox": fuzzInbox,
    "json": fuzzJSON,
    "ledger": fuzzLedger,
    "manifest": fuzzManifest,
    "pattern": fuzzPattern,
    "schema": fuzzSchema,
    "text": fuzzText,
    "yaml": fuzzYAML,
]

/// What libFuzzer calls has no context, so the choice of the command line is a constant of the program.
enum Chosen {
    static let target = CommandLine.arguments.dropFirst().first.flatMap { targets[$0] }
}

/// The name is libFuzzer's: its own main, which is linked and never run, asks for it.
@_cdecl("LLVMFuzzerTestOneInput")
func testOneInput(_ bytes: UnsafePointer<UInt8>?, _ length: Int) -> CInt {
    Chosen.target?(Array(UnsafeBufferPointer(start: bytes, count: length)))
    return 0
}

guard Chosen.target != nil else {
    let names = targets.keys.sorted().joined(separator: "|")
    FileHandle.standardError.write(Data("usage: fuzz <\(names)> [options, folders, files]\n".utf8))
    exit(2)
}
// libFuzzer gets the arguments without the target's name.
var pointers = CommandLine.arguments.enumerated().filter { $0.offset != 1 }.map { strdup($0.element) } + [nil]
var count = CInt(pointers.count - 1)
let status = pointers.withUnsafeMutableBufferPointer { buffer in
    var start = buffer.baseAddress
    return LLVMFuzzerRunDriver(&count, &start) { testOneInput($0, $1) }
}
exit(status)

import Harness
import SystemPackage
import WaybillCore

/// All that was seen, for other programs.
struct Report {
    private let value: Value

    init(_ options: Options, _ samples: [Sample], _ flatness: Flatness, _ problems: [String]) {
        value = [
            "format": 1, "command": .string(options.command), "build": .string(Self.configuration),
            "runs": .int(Int64(options.runs)), "seconds": .double(options.seconds), "life": .double(options.life),
            "seed": .string(String(options.seed)), "judged": .bool(flatness.isJudged), "flatness": flatness.value,
            "problems": .list((problems + flatness.problems).map { .string($0) }),
            "samples": .list(samples.map(\.value)),
        ]
    }

    func write(to path: FilePath) throws {
        try Disk.write(String(decoding: JSON.pretty(value), as: UTF8.self), to: path)
    }

    private static var configuration: String {
        #if DEBUG
            "debug: not to be quoted"
        #else
            "release"
        #endif
    }
}

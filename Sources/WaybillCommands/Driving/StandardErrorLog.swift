import Logging
import WaybillCore
import WaybillPorts

/// Log lines on the standard error: `2026-11-20T10:15:03.214159Z info message key=value`, or JSON, one object a line.
struct StandardErrorLog: LogHandler {
    var logLevel: Logger.Level = .info
    var metadata: Logger.Metadata = [:]
    private let isJSON: Bool
    private let output: Output
    private let clock: any WallClock

    init(isJSON: Bool, output: Output = .errors, clock: any WallClock = SystemClock()) {
        self.isJSON = isJSON
        self.output = output
        self.clock = clock
    }

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        let all = metadata.merging(event.metadata ?? [:]) { $1 }.sorted { $0.key < $1.key }
        let time = clock.now().description
        if isJSON {
            var object: Object = [
                "ts": .string(time), "level": .string(event.level.rawValue),
                "message": .string(event.message.description),
            ]
            for (key, value) in all { object[key] = .string("\(value)") }
            output.json(.object(object))
        } else {
            let pairs = all.map { " \($0.key)=\(Text.oneLine("\($0.value)"))" }.joined()
            output.line("\(time) \(event.level.rawValue) \(Text.printable(event.message.description))\(pairs)")
        }
    }
}

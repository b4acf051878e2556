import Logging

/// What a daemon logs, as lines between the operations of a trace.
struct TraceLog: LogHandler {
    var logLevel: Logger.Level = .info
    var metadata: Logger.Metadata = [:]
    private let process: Int
    private let write: @Sendable (String) -> Void

    init(_ process: Int, _ write: @escaping @Sendable (String) -> Void) {
        self.process = process
        self.write = write
    }

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) { write("- \(process) \(event.level.rawValue): \(event.message)") }
}

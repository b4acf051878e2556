import Harness
import SystemPackage
import WaybillCore

/// A run that was started: its ledger is read as it grows.
struct LiveRun {
    /// What new entries brought.
    enum News: Equatable {
        case asks(key: String)
        case awaitsEvent
        /// The step behind an answer has started, so many seconds after the answer was moved in.
        case wentOn(after: Double)
        case ended(status: String)
    }

    let id: String
    let kind: Kind
    /// How long its waits are, in parts of what they would be.
    let stretch: Double
    /// Whether its ledger is there.
    private(set) var hasBegun = false
    /// When something was last heard of it.
    private(set) var lastNews = Seconds.now
    /// When its last answer was moved in, until the step behind it starts.
    private(set) var answered: Double?
    private let ledger: FilePath
    private var offset = 0

    init(_ id: String, _ kind: Kind, stretch: Double, in tree: SoakTree) {
        self.id = id
        self.kind = kind
        self.stretch = stretch
        ledger = tree.ledger(of: id)
    }

    /// Notes that an answer is moved in at this moment.
    mutating func noteAnswer() { answered = Seconds.now }

    /// Reads what was written since the last look.
    mutating func look() -> [News] {
        guard let bytes = Disk.bytes(ledger, from: offset) else { return [] }
        hasBegun = true
        guard let end = bytes.lastIndex(of: UInt8(ascii: "\n")) else { return [] }
        // Taken after the bytes were read: what is told is never too short.
        let now = Seconds.now
        offset += end + 1
        lastNews = now
        return bytes[..<end].split(separator: UInt8(ascii: "\n")).compactMap { line in
            (try? JSON.parse([UInt8](line))).flatMap { news(of: $0, at: now) }
        }
    }

    private mutating func news(of entry: Value, at now: Double) -> News? {
        let data = entry["data"]
        switch entry["type"]?.stringValue {
        case "TASK_WAITING":
            switch data?["reason"]?.stringValue {
            case "user": return data?["key"]?.stringValue.map { .asks(key: $0) }
            case "event": return .awaitsEvent
            default: return nil
            }
        case "TASK_START":
            guard let answered else { return nil }
            self.answered = nil
            return .wentOn(after: now - answered)
        case "RUN_END": return .ended(status: data?["status"]?.stringValue ?? "")
        default: return nil
        }
    }
}

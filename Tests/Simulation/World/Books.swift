import WaybillCore
import WaybillEngine

/// What a journal says, as far as it can be wrong.
struct JournalBook {
    var started: [String: Int] = [:]
    /// The final heads of runs.
    var ended: [String: String] = [:]
    /// Events by source and id.
    var events: [String: Int] = [:]
    /// Names of files that were refused.
    var refused: Set<String> = []
    var problems: [String] = []

    mutating func take(_ entry: Entry) {
        let run = entry.data["run"]?.stringValue ?? ""
        if let file = entry.data["file"]?.stringValue { refused.insert(file) }
        switch entry.type {
        case .runStarted:
            if let first = started[run] { problems.append("\(run) started twice: entries \(first) and \(entry.seq)") }
            started[run] = entry.seq
        case .runEnded:
            if ended[run] != nil { problems.append("\(run) ended twice in the journal") }
            ended[run] = entry.data["head"]?.stringValue ?? ""
        case .eventAccepted:
            let event = entry.data["event"]
            let identity = "\(event?["source"]?.stringValue ?? "") \(event?["id"]?.stringValue ?? "")"
            if events[identity] != nil { problems.append("event \(identity) was accepted twice") }
            events[identity] = entry.seq
        default: break
        }
    }
}

/// What a ledger says, as far as it can be wrong.
struct RunBook {
    struct Name: Hashable {
        var step: String
        var visit: Int
        var attempt: Int
    }

    struct VisitName: Hashable {
        var step: String
        var visit: Int
    }

    let run: String
    /// Attempts whose intent is recorded.
    var starts: Set<Name> = []
    /// The attempts that visits completed with.
    var completed: [VisitName: Int] = [:]
    /// Attempts whose outcome was unknown, and that somebody said were done.
    var isDeclared: Set<Name> = []
    var hasEnded = false
    /// What became of files: name to the digests of accepted ones.
    var accepted: [String: [String]] = [:]
    var judged: [String: Int] = [:]
    /// The last entry that was copied from another run, whose receipts were copied, too; 0 for none.
    var lastCopied = 0
    var problems: [String] = []
    private var events: Set<String> = []

    init(run: String) { self.run = run }

    mutating func take(_ entry: Entry) {
        let visit = entry.visit ?? 1
        let name = Name(step: entry.step ?? "", visit: visit, attempt: entry.attempt ?? 1)
        switch entry.type {
        // What was copied from the past of another run is that run's.
        case .forked:
            forget()
            lastCopied = entry.seq
        case .taskStart:
            if !starts.insert(name).inserted { problems.append("\(run): \(name) started twice") }
        case .taskEnd:
            let visitName = VisitName(step: name.step, visit: visit)
            guard entry.data["status"] == "completed" else { return }
            if completed[visitName] != nil { problems.append("\(run): \(visitName) completed twice") }
            completed[visitName] = name.attempt
        case .taskUnknown: isDeclared.insert(name)
        case .eventReceived:
            let event = "\(name.step) \(entry.data["seq"]?.intValue ?? -1)"
            if !events.insert(event).inserted { problems.append("\(run): \(name.step) got one event twice") }
        case .answerAccepted, .answerRejected:
            guard let file = entry.data["file"]?.stringValue else { return }
            judged[file, default: 0] += 1
            if entry.type == .answerAccepted {
                let key = entry.data["key"]?.stringValue ?? ""
                accepted[key, default: []].append(entry.data["sha256"]?.stringValue ?? "")
            }
        case .runEnd:
            if hasEnded { problems.append("\(run) ended twice") }
            hasEnded = true
        default: break
        }
    }

    private mutating func forget() {
        starts = []
        completed = [:]
        isDeclared = []
        accepted = [:]
        judged = [:]
        events = []
        hasEnded = false
    }
}

/// An attempt by the path of its folder: `.../runs/<run>/steps/<step>/<visit>.<attempt>`.
struct AttemptName {
    let run: String
    let name: RunBook.Name
    var attempt: Int { name.attempt }
    var visitName: RunBook.VisitName { RunBook.VisitName(step: name.step, visit: name.visit) }

    init?(_ path: String) {
        let parts = path.split(separator: "/")
        guard parts.count >= 5, parts[parts.count - 3] == "steps" else { return nil }
        let numbers = parts[parts.count - 1].split(separator: ".").compactMap { Int($0) }
        guard numbers.count == 2 else { return nil }
        run = String(parts[parts.count - 4])
        name = RunBook.Name(step: String(parts[parts.count - 2]), visit: numbers[0], attempt: numbers[1])
    }
}

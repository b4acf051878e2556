import Harness
import SystemPackage
import WaybillCore

/// A question that a run asked, as its ledger says.
struct Question: Hashable {
    let run: String
    let key: String
    let step: String
    let visit: Int64
    /// None where an outcome is unknown, and the question is what happened.
    let choices: [String]
    var isUnknownOutcome: Bool { choices.isEmpty }
}

/// A run that is under way: its ledger is read as it grows.
struct WatchedRun {
    /// What new entries brought.
    struct News {
        var entries = 0
        var questions: [Question] = []
        var children: [String] = []
    }

    let id: String
    /// Whether this program started it; others are called by those.
    let isRoot: Bool
    private(set) var entries = 0
    private(set) var isEnded = false
    private(set) var hasBegun = false
    private var offset = 0

    private let ledger: FilePath

    init(_ id: String, isRoot: Bool, in tree: TortureTree) {
        self.id = id
        ledger = tree.folder(of: id).appending("ledger.jsonl")
        self.isRoot = isRoot
    }

    /// Reads what was written since the last look.
    mutating func look() -> News {
        var news = News()
        let size = Disk.size(ledger)
        // A tail that a kill tore was cut; what follows it is read again, and asked again: answers may come twice.
        if size < offset { offset = 0 }
        guard size > offset, let bytes = Disk.bytes(ledger, from: offset),
            let end = bytes.lastIndex(of: UInt8(ascii: "\n"))
        else { return news }
        hasBegun = true
        offset += end + 1
        for line in bytes[..<end].split(separator: UInt8(ascii: "\n")) {
            news.entries += 1
            if let entry = try? JSON.parse([UInt8](line)) { take(entry, &news) }
        }
        entries += news.entries
        return news
    }

    private mutating func take(_ entry: Value, _ news: inout News) {
        let data = entry["data"]
        switch entry["type"]?.stringValue {
        case "RUN_END": isEnded = true
        case "TASK_WAITING":
            let reason = data?["reason"]?.stringValue
            if reason == "subworkflow", let child = data?["run"]?.stringValue { news.children.append(child) }
            guard reason == "user", let key = data?["key"]?.stringValue else { return }
            news.questions.append(
                Question(
                    run: id, key: key, step: entry["step"]?.stringValue ?? "", visit: entry["visit"]?.intValue ?? 1,
                    choices: key.contains("-unknown")
                        ? [] : data?["choices"]?.listValue?.compactMap(\.stringValue) ?? []))
        default: return
        }
    }
}

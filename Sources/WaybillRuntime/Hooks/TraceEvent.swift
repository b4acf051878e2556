package import WaybillCore
package import WaybillEngine

/// Something that happened in a run, under the name that hooks and subscribers know it by (contract, section 5).
package struct TraceEvent: Sendable, Hashable {
    /// `run.error`.
    package let name: String
    package let run: RunID
    package let entry: Entry

    /// Every name, in the order in which events of one entry are told.
    package static let names = [
        "run.start", "run.ok", "run.paused", "run.error", "run.end", "wait.opened", "wait.closed", "wait.reminder",
        "step.start", "step.error", "sync.refused", "schedule.missed",
    ]

    /// What an entry means to the outside: mostly nothing, sometimes two things.
    package static func events(for entry: Entry, run: RunID) -> [TraceEvent] {
        names(for: entry).map { TraceEvent(name: $0, run: run, entry: entry) }
    }

    /// The names alone, for those who look at every entry.
    static func names(for entry: Entry) -> [String] {
        switch entry.type {
        case .runStart: ["run.start"]
        case .runPaused: ["run.paused"]
        case .runEnd:
            switch entry.data["status"]?.stringValue {
            case "completed": ["run.ok", "run.end"]
            case "failed": ["run.error", "run.end"]
            default: ["run.end"]
            }
        case .taskWaiting: ["wait.opened"]
        case .taskResumed: ["wait.closed"]
        case .taskStart: ["step.start"]
        case .taskEnd: entry.data["status"]?.stringValue == "failed" ? ["step.error"] : []
        default: []
        }
    }

    /// What a hook reads (contract, Appendix C): one line without a newline, `entry` as the ledger has it.
    ///
    /// `{"format":1,"event":"run.error","run":"...","seq":17,"entry":{...}}`
    package var json: [UInt8] {
        // Names of events and ids of runs hold nothing that JSON would escape.
        let head = "{\"format\":1,\"event\":\"\(name)\",\"run\":\"\(run)\",\"seq\":\(entry.seq),\"entry\":"
        return Array(head.utf8) + EntryCodec.line(entry) + [UInt8(ascii: "}")]
    }
}

package import WaybillCore

/// A hook that could not be served, for `doctor` and the daemon's log. It is never a run's trouble.
package struct HookFailure: Sendable, Hashable {
    /// The hook's path within `hooks/`; nil if no single hook is to blame.
    package var hook: String?
    package var event: String
    package var run: RunID
    package var seq: Int
    /// How often it was tried.
    package var attempts: Int
    /// Why, with the last lines the hook printed.
    package var message: String
    package var at: Timestamp

    package init(
        hook: String?, event: String, run: RunID, seq: Int, attempts: Int, message: String, at: Timestamp
    ) {
        self.hook = hook
        self.event = event
        self.run = run
        self.seq = seq
        self.attempts = attempts
        self.message = message
        self.at = at
    }

    /// `{"hook","event","run","seq","attempts","message","at"}`, as `.waybill/hooks/failures.json` lists it.
    package var value: Value {
        [
            "hook": hook.map(Value.string) ?? .null, "event": .string(event), "run": .string(run.text),
            "seq": .int(Int64(seq)), "attempts": .int(Int64(attempts)), "message": .string(message),
            "at": .string(at.description),
        ]
    }

    init?(_ value: Value) {
        guard let event = value["event"]?.stringValue, let run = value["run"]?.stringValue.flatMap(RunID.init),
            let seq = value["seq"]?.intValue, let attempts = value["attempts"]?.intValue,
            let message = value["message"]?.stringValue,
            let at = value["at"]?.stringValue.flatMap(Timestamp.init(rfc3339:))
        else { return nil }
        self.init(
            hook: value["hook"]?.stringValue, event: event, run: run, seq: Int(seq), attempts: Int(attempts),
            message: message, at: at)
    }
}

extension HookFailure: CustomStringConvertible {
    /// `hook run.error, event 17 (run.error) of run x: exit code 1 after 3 attempts: no such host`.
    package var description: String {
        let who = hook.map { "hook \($0), event" } ?? "hooks, event"
        return "\(who) \(seq) (\(event)) of run \(run): \(message)"
    }
}

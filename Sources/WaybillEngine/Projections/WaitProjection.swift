import WaybillCore

/// `waits/<key>.json`: everything a person or a script needs to answer (contract, Appendix A).
package enum WaitProjection {
    package static func bytes(_ wait: WaitState, run: String) -> [UInt8] {
        var writer = JSONWriter(style: .pretty)
        writer.beginObject()
        writer.member("format", 1 as Int)
        writer.member("run", run)
        writer.member("key", wait.key)
        writer.member("step", wait.stepName)
        writer.member("visit", wait.visit)
        writer.member("reason", wait.reason.rawValue)
        writer.member("prompt", wait.prompt)
        writer.member("choices", wait.choices.map { .list($0.map(Value.string)) } ?? Value.null)
        writer.member("schema", wait.schema ?? .null)
        if !wait.attachments.isEmpty { writer.member("attach", Value.list(wait.attachments)) }
        if let called = wait.run { writer.member("call", called) }
        writer.member("from", Value.null)
        writer.member("token", wait.token?.hex)
        writer.member("since", wait.since.description)
        writer.member("until", wait.until?.description)
        writer.member("default", wait.defaultAnswer ?? .null)
        if let event = wait.event {
            var wanted: Object = ["type": .string(event.type)]
            wanted["key"] = event.key.map(Value.string)
            writer.member("event", Value.object(wanted))
            let key = event.key.map { " --key \(quoted($0))" } ?? ""
            writer.member("emit", "waybill emit --type \(quoted(event.type))\(key)")
        }
        if let reply = wait.reply {
            writer.member("drop", "runs/inbox/\(run).\(wait.key).json")
            writer.member("command", command(reply, wait, run))
            writer.member("mv", shortestMove(reply, wait, run))
        }
        writer.endObject()
        return writer.finish()
    }

    private static func command(_ reply: ReplyForm, _ wait: WaitState, _ run: String) -> String {
        switch reply {
        case .approval: "waybill approve \(run) \(wait.key)"
        case .choices: "waybill answer \(run) \(wait.key) --text \(quoted(wait.choices?.first ?? ""))"
        case .unknown: "waybill answer \(run) \(wait.key) --text done"
        case .any, .schema: "waybill answer \(run) \(wait.key) --json-value '...'"
        }
    }

    /// The shortest way without Waybill: a file written aside and moved in.
    private static func shortestMove(_ reply: ReplyForm, _ wait: WaitState, _ run: String) -> String {
        let target = "runs/\(run)/inbox/\(wait.key)"
        let word: String
        switch reply {
        case .approval: word = "yes"
        case .choices: word = quoted(wait.choices?.first ?? "")
        case .unknown: word = "done"
        case .any, .schema: return "mv answer.json \(target).json"
        }
        return "echo \(word) > answer.tmp && mv answer.tmp \(target).txt"
    }

    private static func quoted(_ text: String) -> String {
        let isPlain = !text.isEmpty && text.utf8.allSatisfy { $0.isLetterOrDigit || "-_./:".utf8.contains($0) }
        if isPlain { return text }
        let parts = text.split(separator: "'", omittingEmptySubsequences: false)
        return "'" + parts.joined(separator: "'\\''") + "'"
    }
}

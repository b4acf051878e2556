import WaybillCore
import WaybillManifests

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
        writer.member("from", wait.from?.value ?? .null)
        if let rule = wait.from, rule.quorum > 1 {
            writer.member("missing", wait.missing)
            writer.member("answers", Value.list(wait.votes.map(answer)))
        }
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
            if let rule = wait.from, !rule.signers.isEmpty {
                let file = "\(wait.key).json"
                writer.member(
                    "sign",
                    "ssh-keygen -Y sign -n waybill -f ~/.ssh/id_ed25519 \(file) && mv \(file).sig \(file) runs/\(run)/inbox/"
                )
            }
        }
        writer.endObject()
        return writer.finish()
    }

    /// Who answered while others are missing.
    private static func answer(_ vote: Vote) -> Value {
        [
            "by": .string(vote.by.name), "uid": .int(Int64(vote.by.uid)), "at": .string(vote.at.description),
            "sha256": .string(vote.answer.hex), "seq": .int(Int64(vote.seq)),
        ]
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
        if wait.from != nil { return envelopeMove(reply, wait, to: target) }
        let word: String
        switch reply {
        case .approval: word = "yes"
        case .choices: word = quoted(wait.choices?.first ?? "")
        case .unknown: word = "done"
        case .any, .schema: return "mv answer.json \(target).json"
        }
        return "echo \(word) > answer.tmp && mv answer.tmp \(target).txt"
    }

    /// The same where only the envelope counts, in a file that nobody else may write.
    private static func envelopeMove(_ reply: ReplyForm, _ wait: WaitState, to target: String) -> String {
        let answer: Value
        switch reply {
        case .approval: answer = true
        case .choices: answer = .string(wait.choices?.first ?? "")
        case .unknown: answer = "done"
        case .any, .schema: return "chmod go-w answer.json && mv answer.json \(target).json"
        }
        let envelope: Value = ["token": .string(wait.token?.hex ?? ""), "answer": answer]
        let text = quoted(String(decoding: JSON.compact(envelope), as: UTF8.self))
        return "(umask 027; echo \(text) > answer.tmp) && mv answer.tmp \(target).json"
    }

    private static func quoted(_ text: String) -> String {
        let isPlain = !text.isEmpty && text.utf8.allSatisfy { $0.isLetterOrDigit || "-_./:".utf8.contains($0) }
        if isPlain { return text }
        let parts = text.split(separator: "'", omittingEmptySubsequences: false)
        return "'" + parts.joined(separator: "'\\''") + "'"
    }
}

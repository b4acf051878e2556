import WaybillCore
import WaybillEngine
import WaybillManifests
import WaybillRuntime

private let schemaSource: Value = [
    "type": "object", "properties": ["ship": ["type": "boolean"], "score": ["type": "number"]], "required": ["ship"],
]

/// Every form of question.
private let replies: [Reply] = {
    let schemas: [Value] = [schemaSource, ["type": "string", "minLength": 2]]
    let asked = schemas.compactMap { source in (try? JSONSchema(source)).map { AskAction.Reply.schema($0, source) } }
    return ([.any, .approval, .choices(["yes", "revise", "drop"])] + asked).map { Reply($0) } + [.unknownOutcome]
}()

/// A file's name, and behind a newline its bytes: as an answer to every form of question, and as a start request.
func fuzzInbox(_ bytes: [UInt8]) {
    let (nameBytes, content) = bytes.parts(at: UInt8(ascii: "\n"))
    let file = nameBytes.text
    let name = AnswerName(file: file)
    require(name.file.utf8.elementsEqual(file.utf8), "a name is kept as it was dropped")
    if let (run, inner) = AnswerName.addressed(file) {
        require(!run.contains("."), "a run's id has no dot")
        require(inner.format == name.format, "the extension is the same through both doors")
    }
    for reply in replies {
        for format in [name.format, .json, .yaml, .text] { judge(reply, content, format) }
    }
    guard let value = try? JSON.parse(content) else { return }
    do throws(StartRequest.Problem) {
        let request = try StartRequest(value)
        let again = try StartRequest(request.value)
        require(again == request, "a start request is read as it is written")
    } catch {
        require(!error.message.isEmpty, "a refusal says why")
    }
}

private func judge(_ reply: Reply, _ content: [UInt8], _ format: AnswerName.Format?) {
    switch reply.parse(content, as: format) {
    case .failure(let refusal): require(!refusal.message.isEmpty, "a refusal says why")
    case .success(let value):
        require(!ValueLimits.isTooDeep(value), "an answer that was read can be written to a ledger")
        switch reply.judge(value) {
        case .failure(let refusal): require(!refusal.message.isEmpty, "a refusal says why")
        case .success(let answer):
            require((try? JSON.parse(JSON.compact(answer))) == answer, "an accepted answer comes back from the ledger")
            if case .failure = reply.judge(answer) { require(false, "an accepted answer is a valid answer") }
        }
    }
}

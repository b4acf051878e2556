import WaybillCore
import WaybillEngine
import WaybillManifests
import WaybillStore

/// A run that asks in every way there is, with nobody and with somebody in mind.
private let asking: (engine: RunEngine, tokens: [String])? = {
    let text = """
        {kind: Workflow, name: w, control: {from: {users: [u1], signers: [s]}}, steps: [
          {id: any, needs: [], ask: {prompt: x}}, {id: pick, needs: [], ask: {prompt: x, choices: [yes, no]}},
          {id: who, needs: [], ask: {prompt: x, approval: true, from: {users: [u1], groups: [g], quorum: 2}}},
          {id: sign, needs: [], ask: {prompt: x, approval: true, from: {signers: [s], notBy: [who]}}}]}
        --- {kind: Settings, signers: s}
        """
    let catalog = Catalog.load([SourceFile(path: "w.yaml", bytes: Array(text.utf8))]) { _ in true }
    guard let workflow = catalog.workflows["w"] else { return nil }
    let definition = RunDefinition(workflow: workflow, of: catalog, digest: Digest.sha256("index"))
    var engine = RunEngine(
        definition: definition, state: RunState(definition: workflow, genesis: definition.digest),
        payloads: NoPayloads())
    let start = RunStart(id: "w", commit: nil, inputs: Object(), trigger: Object(), actor: .user, by: nil)
    guard (try? engine.handle(.start(start), at: doorMoment)) != nil else { return nil }
    let waits = engine.state.waits.values.sorted { $0.key < $1.key }
    return (engine, waits.compactMap { $0.token?.hex } + [engine.state.controlToken?.hex ?? ""])
}()

private let doorMoment = Moment(now: Timestamp(microseconds: 1_000_000), boot: "b")

private final class NoPayloads: PayloadSource {
    func payload(_: Digest) -> Value? { nil }
}

/// Four bytes that say whose the file is, its name, and behind a newline its content, where `@0` to `@4` stand for the
/// tokens that count: judged twice, it must get the same verdict, and only what may be accepted is.
func fuzzDoor(_ bytes: [UInt8]) {
    guard bytes.count >= 4, let asking else { return }
    let (nameBytes, content) = Array(bytes[4...]).parts(at: UInt8(ascii: "\n"))
    let name = AnswerName(file: nameBytes.text)
    let filled = fill(content, with: asking.tokens)
    var file = InboxFile(
        name: name, content: bytes[0] & 0x80 == 0 ? .bytes(filled) : .refused(.type, "it is a folder"),
        digest: bytes[0] & 0x80 == 0 ? Digest.sha256(filled) : nil, size: filled.count, uid: Int(bytes[0] & 3),
        user: bytes[0] & 4 == 0 ? "u\(bytes[0] & 3)" : nil, changedAt: doorMoment.now)
    file.permissions = UInt16(bytes[1]) | UInt16(bytes[2] & 1) << 8
    file.isOwnUser = bytes[2] & 2 != 0
    file.groups = bytes[2] & 4 != 0 ? ["g"] : []
    switch bytes[3] & 3 {
    case 1: file.signature = .valid(principals: ["s"], key: "k\(bytes[3] & 4)")
    case 2: file.signature = .refused("no")
    case 3: file.signature = .valid(principals: [], key: "k")
    default: break
    }
    var (first, second) = (asking.engine, asking.engine)
    guard let decision = try? first.handle(.file(file), at: doorMoment) else {
        return require(false, "a file is no reason to stop a run")
    }
    let again = try? second.handle(.file(file), at: doorMoment)
    require(again?.lines == decision.lines, "the same file gets the same verdict")
    let accepted = decision.entries.first { $0.entry.type == .answerAccepted }?.entry
    if let accepted, name.key == "who" || name.key == "sign" || name.isControl {
        require(file.permissions & 0o022 == 0, "what others may write is not accepted")
        require(asking.tokens.contains { filled.text.contains($0) }, "only an envelope is accepted")
        let isSigned = accepted.data["signer"] != nil
        require(isSigned || !file.isOwnUser, "Waybill's own user is not accepted")
        require(isSigned || name.key != "sign", "only a signature is accepted")
        require(isSigned || file.user == "u1" || !file.groups.isEmpty, "nobody else is accepted")
    }
    judgeSignature(content)
}

private func fill(_ content: [UInt8], with tokens: [String]) -> [UInt8] {
    var filled: [UInt8] = []
    var rest = content[...]
    while let byte = rest.popFirst() {
        if byte == UInt8(ascii: "@"), let digit = rest.first, tokens.indices.contains(Int(digit) - 48) {
            filled += tokens[Int(digit) - 48].utf8
            rest = rest.dropFirst()
        } else {
            filled.append(byte)
        }
    }
    return filled
}

/// The content as a file of allowed signers, and as a signature.
private func judgeSignature(_ content: [UInt8]) {
    let now = Timestamp(microseconds: 0)
    switch AllowedSigners(content).signer(of: [1], signature: content, among: ["s", "*"], now: now) {
    case .success: require(false, "nobody signed this")
    case .failure(let refusal): require(!refusal.message.isEmpty, "a refusal says why")
    }
}

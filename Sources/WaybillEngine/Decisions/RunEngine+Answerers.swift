import WaybillCore
import WaybillManifests

// Who may answer (contract, section 7, "Who"). What the machine knows of a file's author comes with the file and is
// recorded with the answer, so that replaying asks no machine.

/// An author who may answer, and why.
struct AdmittedAuthor: Sendable {
    var person: Answerer
    /// The groups that admitted them.
    var groups: [String]
}

extension RunEngine {
    /// Whether the author of a file is one of those whom a rule admits.
    func admit(_ file: InboxFile, under rule: AnswererRule) -> Result<AdmittedAuthor, Reply.Refusal> {
        guard file.permissions & 0o022 == 0 else {
            let mode = "0" + String(file.permissions & 0o777, radix: 8)
            return refuse(
                "others than its owner may write the file (mode \(mode)), so it is not surely the owner's; write it with mode 0600 or 0640"
            )
        }
        var author = AdmittedAuthor(person: Answerer(uid: file.uid, user: file.user), groups: [])
        if !rule.signers.isEmpty, let signature = file.signature {
            switch signature {
            case .refused(let message): return .failure(Reply.Refusal(kind: .signature, message: message))
            case .valid(let principals, let key):
                let name = rule.signers.first { signer in principals.contains { $0.isIdenticalUTF8(to: signer) } }
                if let name {
                    author.person.signer = name
                    author.person.key = key
                }
            }
        }
        if author.person.signer == nil, let refusal = admitOwner(of: file, under: rule, &author) {
            return .failure(refusal)
        }
        if rule.notStarter, let starter = state.starter, author.person.isSame(as: starter) {
            return refuse("\(author.person.name) started the run and may not answer")
        }
        return .success(author)
    }

    /// Why the owner of a file does not count, if they do not.
    private func admitOwner(
        of file: InboxFile, under rule: AnswererRule, _ author: inout AdmittedAuthor
    ) -> Reply.Refusal? {
        let isNamed = rule.users.contains { name in
            name == "uid:\(file.uid)" || file.user.map { $0.isIdenticalUTF8(to: name) } == true
        }
        author.groups = rule.groups.filter { group in file.groups.contains { $0.isIdenticalUTF8(to: group) } }
        if rule.namesPeople, !isNamed, author.groups.isEmpty {
            let isByHand = rule.users.isEmpty && rule.groups.isEmpty
            return Reply.Refusal(
                kind: isByHand ? .signature : .owner,
                message: isByHand
                    ? "it is not signed: put `\(file.name.file).sig` beside it, made with `ssh-keygen -Y sign -n waybill`"
                    : "\(file.author) may not answer: expected \(rule.people)")
        }
        guard !file.isOwnUser || rule.allowsSelf else {
            return Reply.Refusal(
                kind: .owner,
                message:
                    "\(file.author) is the user that Waybill and its steps run as, who answers only where `from` says `self: true`"
            )
        }
        return nil
    }

    private func refuse<Success>(_ message: String) -> Result<Success, Reply.Refusal> {
        .failure(Reply.Refusal(kind: .owner, message: message))
    }

    /// Whether somebody may answer this wait: nobody answers twice, nor after a step that excludes them.
    func objection(to author: AdmittedAuthor, answering wait: WaitState) -> Reply.Refusal? {
        if let vote = wait.votes.first(where: { $0.by.isSame(as: author.person) }) {
            return Reply.Refusal(
                kind: .alreadyAnswered,
                message:
                    "\(vote.by.name) answered in entry \(vote.seq); \(wait.missing) more must be somebody else's")
        }
        for name in wait.from?.notBy ?? [] {
            guard let id = state.instance(at: wait.step).flatMap({ sibling(name, of: $0) }) else { continue }
            let answered = state[id].answers.contains { answer in
                Answerer(answer.objectValue).map { $0.isSame(as: author.person) } ?? false
            }
            if answered {
                return Reply.Refusal(
                    kind: .owner, message: "\(author.person.name) answered \(name) and may not answer this as well")
            }
        }
        return nil
    }

    /// The step that `steps.<name>` is from a place: beside it first, then around it.
    private func sibling(_ name: String, of id: InstanceID) -> InstanceID? {
        var frame: Int? = id.frame
        while let current = frame {
            if let index = state.plan(of: current).index(of: name) { return InstanceID(frame: current, step: index) }
            frame = state.frames[current]?.parent?.frame
        }
        return nil
    }

    /// Takes an answer out of its envelope.
    ///
    /// An object of exactly `token` and `answer` whose token is the wait's is an envelope; anything else is the answer,
    /// and none where the wait says who may answer.
    func unwrap(_ value: Value, for wait: WaitState) -> Result<Value, Reply.Refusal> {
        let envelope = Envelope(value)
        if let envelope, let token = wait.token, envelope.token == token.hex { return .success(envelope.answer) }
        guard wait.from != nil else { return .success(value) }
        return .failure(
            Reply.Refusal(
                kind: .token,
                message: envelope == nil
                    ? "only {\"token\": ..., \"answer\": ...} counts here, with the token of waits/\(wait.key).json"
                    : "the token is another question's, or that of an earlier visit; waits/\(wait.key).json has the one that counts"
            ))
    }
}

/// `{"token": "<sha256>", "answer": ...}`, exactly.
struct Envelope {
    var token: String
    var answer: Value

    init?(_ value: Value) {
        guard let object = value.objectValue, object.count == 2, let answer = object["answer"],
            let token = object["token"]?.stringValue
        else { return nil }
        self.token = token
        self.answer = answer
    }
}

extension AnswererRule {
    /// Whom it names, for messages.
    fileprivate var people: String {
        var parts: [String] = []
        if !users.isEmpty { parts.append(users.joined(separator: ", ")) }
        if !groups.isEmpty { parts.append("somebody of \(groups.joined(separator: ", "))") }
        if !signers.isEmpty { parts.append("a signature of \(signers.joined(separator: ", "))") }
        return parts.joined(separator: ", or ")
    }
}

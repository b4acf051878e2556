import WaybillCore
import WaybillManifests

// Files from the inbox. The entry is the commit point: a file is accepted once ANSWER_ACCEPTED is durable.

extension RunEngine {
    mutating func judge(_ file: InboxFile) throws(EngineError) {
        // Before RUN_START and after RUN_END a ledger takes no files: the caller refuses them in the journal.
        guard state.phase != .pending, !state.phase.isEnded else {
            throw EngineError(.unexpectedStimulus, state.phase.isEnded ? "the run has ended" : "the run has not begun")
        }
        if file.name.isControl { return try control(file) }
        let key = file.name.key
        switch file.content {
        case .refused(let kind, let message): try reject(file, kind, message)
        case .bytes(let bytes):
            if let wait = state.waits[key] {
                try judge(file, bytes, for: wait)
            } else if let closed = state.closedWaits[key] {
                try judge(file, against: closed)
            } else {
                try reject(file, .unknownWait, unknownWaitMessage(key))
            }
        }
    }

    private mutating func judge(_ file: InboxFile, against closed: ClosedWait) throws(EngineError) {
        if let digest = file.digest, let seq = closed.entry(accepting: digest) {
            acknowledge(closed.key, seq: seq)
        } else if closed.isExpired {
            try reject(file, .late, "the deadline of \(closed.key) passed")
        } else if closed.answer != nil {
            try reject(file, .alreadyAnswered, "\(closed.key) was answered in entry \(closed.seq)")
        } else {
            try reject(file, .unknownWait, "\(closed.key) is closed: the run no longer waits for it")
        }
    }

    private func unknownWaitMessage(_ key: String) -> String {
        let open = state.waits.values.filter { $0.reply != nil }.map(\.key).sorted()
        guard !open.isEmpty else { return "the run waits for no answer with the key '\(key)', nor for any other" }
        let hint = Suggestion.hint(for: key, among: open).map { "; \($0)" } ?? ""
        return
            "the run waits for no answer with the key '\(key)'\(hint) (open: \(open.prefix(5).joined(separator: ", ")))"
    }

    private mutating func judge(_ file: InboxFile, _ bytes: [UInt8], for wait: WaitState) throws(EngineError) {
        let id = state.instance(at: wait.step)
        guard let reply = reply(for: wait), wait.isOfRun || id != nil else {
            return try reject(file, .unknownWait, "\(wait.key) waits for \(wait.reason.what); it takes no answer")
        }
        if let until = wait.until, file.changedAt > until {
            return try reject(file, .late, "the file changed at \(file.changedAt), after the deadline \(until)")
        }
        let unwrapped = reply.parse(bytes, as: file.name.format).flatMap { unwrap($0, for: wait) }
        var author = AdmittedAuthor(person: Answerer(uid: file.uid, user: file.user), groups: [])
        if let rule = wait.from, case .success = unwrapped {
            switch admit(file, under: rule) {
            case .failure(let refusal): return try reject(file, refusal.kind, refusal.message)
            case .success(let admitted): author = admitted
            }
            // Two people may well send the same bytes; only the same person's are the same answer.
            if let vote = wait.votes.first(where: {
                $0.answer == file.digest && $0.by.isSame(as: author.person)
            }) {
                return acknowledge(wait.key, seq: vote.seq)
            }
            if let objection = objection(to: author, answering: wait) {
                return try reject(file, objection.kind, objection.message)
            }
        }
        switch unwrapped.flatMap(reply.judge) {
        case .failure(let refusal): try reject(file, refusal.kind, refusal.message)
        case .success(let answer):
            if let denial = try consultPolicies(on: answer, for: wait) { return try reject(file, .policy, denial) }
            try accept(file, bytes, as: answer, by: author, for: wait)
            if state.waits[wait.key]?.votes.count ?? 0 > wait.votes.count { return }
            if let id {
                try take(answer, for: wait, id, by: author.person.name)
            } else {
                try settleAdmission(wait, answer, by: author.person.name)
            }
        }
    }

    private mutating func acknowledge(_ key: String, seq: Int) {
        let message = "the same bytes were accepted before, in entry \(seq)"
        draft.effects.append(.settle(Settlement(verdict: .duplicate, key: key, seq: seq, message: message)))
    }

    /// What follows from an accepted answer.
    private mutating func take(
        _ answer: Value, for wait: WaitState, _ id: InstanceID, by author: String?
    ) throws(EngineError) {
        if wait.reply == .unknown {
            try emit(
                .taskResumed, step: wait.step, visit: wait.visit, attempt: attemptNumber(of: id),
                ["key": .string(wait.key), "by": "answer"])
        }
        if wait.reply == .unknown {
            try settleUnknown(id, answer)
        } else if wait.reason == .policy {
            try settleApproval(id, wait, answer, by: author)
        } else {
            try resume(wait, id, by: "answer", with: answer)
        }
    }

    private func reply(for wait: WaitState) -> Reply? {
        if wait.reply == .unknown { return .unknownOutcome }
        if wait.reason == .policy { return Reply(.approval) }
        guard let id = state.instance(at: wait.step) else { return nil }
        switch state.definition(of: id).action {
        case .ask(let action): return Reply(action.reply)
        case .first(let branches):
            guard case .ask(let action)? = branches.first(where: { $0.name == wait.branch })?.kind else { return nil }
            return Reply(action.reply)
        default: return nil
        }
    }

    // MARK: - Entries

    /// Accepts an answer. Where several people have to answer, what each of them said is kept, and how many are missing.
    private mutating func accept(
        _ file: InboxFile, _ bytes: [UInt8], as answer: Value, by author: AdmittedAuthor, for wait: WaitState
    ) throws(EngineError) {
        var data = Object()
        if wait.from != nil { note(author, of: file, into: &data) }
        if let rule = wait.from, rule.quorum > 1 {
            write(answer, as: "value", into: &data)
            let isRefusal = answer["approve"] == false
            let missing = isRefusal ? 0 : wait.missing - 1
            if missing > 0 { data["missing"] = .int(Int64(missing)) }
        }
        try accept(
            file, bytes, data, by: author.person.name, step: wait.stepName, visit: wait.isOfRun ? nil : wait.visit)
    }

    /// What the machine knew of an author who was asked for.
    private func note(_ author: AdmittedAuthor, of file: InboxFile, into data: inout Object) {
        data["mode"] = .string("0" + String(file.permissions & 0o777, radix: 8))
        if !author.groups.isEmpty { data["groups"] = .list(author.groups.map(Value.string)) }
        guard let signer = author.person.signer else { return }
        data["signer"] = .string(signer)
        data["fingerprint"] = author.person.key.map(Value.string)
        data["signers"] = file.signersDigest.map { .string($0.hex) }
        data["signature"] = file.signatureText.map(Value.string)
    }

    mutating func accept(
        _ file: InboxFile, _ bytes: [UInt8], order: ParentOrder?, by author: AdmittedAuthor?
    ) throws(EngineError) {
        var data = Object()
        if let order { data["order"] = .int(Int64(order.seq)) }
        if let author { note(author, of: file, into: &data) }
        try accept(file, bytes, data, by: author?.person.name ?? file.author)
    }

    private mutating func accept(
        _ file: InboxFile, _ bytes: [UInt8], _ more: Object, by author: String, step: String? = nil, visit: Int? = nil
    ) throws(EngineError) {
        var data = describe(file)
        for (name, value) in more { data[name] = value }
        // Whatever a reader lets through, its exact bytes are kept: here if a JSON string can hold them.
        if bytes.count <= Payload.inlineLimit, let text = String(validating: bytes, as: UTF8.self) {
            data["bytes"] = .string(text)
        } else {
            let blob = Blob(bytes)
            draft.blobs.append(blob)
            data["bytesRef"] = ["sha256": .string(blob.digest.hex), "size": .int(Int64(bytes.count))]
        }
        try emit(.answerAccepted, actor: .user, by: author, step: step, visit: visit, data)
        draft.effects.append(
            .settle(Settlement(verdict: .accepted, key: file.name.key, seq: state.seq, message: "accepted")))
    }

    mutating func reject(_ file: InboxFile, _ kind: RefusalKind, _ message: String) throws(EngineError) {
        let receipt: Settlement
        if state.rejections.recorded < RejectionLimits.count {
            var data = describe(file)
            data["kind"] = .string(kind.rawValue)
            data["message"] = .string(message)
            try emit(.answerRejected, actor: .user, by: file.author, data)
            receipt = Settlement(verdict: .rejected(kind), key: file.name.key, seq: state.seq, message: message)
        } else {
            uncountedRejections += 1
            try sayRejections()
            receipt = Settlement(verdict: .counted(kind), key: file.name.key, seq: nil, message: message)
        }
        draft.effects.append(.settle(receipt))
    }

    /// Says how many files were refused and not kept, once a minute, and before the run ends.
    mutating func sayRejections(isLast: Bool = false) throws(EngineError) {
        guard uncountedRejections > 0 else { return }
        if !isLast, let due = rejectionsDue, draft.moment.now < due { return }
        try emit(.answerRejected, ["count": .int(Int64(uncountedRejections))])
        uncountedRejections = 0
    }

    private func describe(_ file: InboxFile) -> Object {
        var data: Object = [
            "key": .string(file.name.key), "file": .string(file.name.file), "size": .int(Int64(file.size)),
            "uid": .int(Int64(file.uid)), "changedAt": .string(file.changedAt.description),
        ]
        if let user = file.user { data["user"] = .string(user) }
        if let digest = file.digest { data["sha256"] = .string(digest.hex) }
        return data
    }

    // MARK: - Deadlines

    /// Lets every wait end whose time has come: with its default, by its own nature, or with `timeout`.
    mutating func expireWaits() throws(EngineError) {
        guard state.nextDeadline != nil else { return }
        // One that ended may have closed others, or failed the run.
        while state.ending == nil || state.stage != .main, let due = state.deadlines.first,
            due.until <= draft.moment.now
        {
            guard let wait = state.waits[due.key] else {
                throw EngineError(.unexpectedStimulus, "\(due.key) has a deadline, and no wait has that key")
            }
            if wait.isOfRun {
                try expireAdmission(wait)
            } else if let id = state.instance(at: wait.step) {
                try expire(wait, id)
            } else {
                throw EngineError(.unexpectedStimulus, "\(due.key) waits for a step that is not there")
            }
        }
    }

    private mutating func expire(_ wait: WaitState, _ id: InstanceID) throws(EngineError) {
        switch wait.reason {
        case .until: return try resume(wait, id, by: "clock", with: nil)
        case .job: return try poll(wait, id)
        case .retry:
            // The fold makes the step ready again.
            return try emit(
                .taskResumed, step: wait.step, visit: wait.visit, attempt: attemptNumber(of: id),
                ["key": .string(wait.key), "by": "clock"])
        default: break
        }
        if let answer = wait.defaultAnswer, wait.reason == .user {
            return try resume(wait, id, by: "deadline", with: answer)
        }
        try emit(
            .taskResumed, step: wait.step, visit: wait.visit, attempt: attemptNumber(of: id),
            ["key": .string(wait.key), "by": "deadline"])
        if wait.reason == .policy {
            return try refuse(id, wait, lateText(wait))
        }
        let what = wait.reason == .event ? "no such event came" : "nobody answered"
        let failure = Failure(.timeout, "\(what) by \(wait.until.map(\.description) ?? "")")
        try settle(id, .failed(failure, AttemptReport()))
    }
}

extension WaitReason {
    /// What is waited for, for messages.
    var what: String {
        switch self {
        case .user: "an answer"
        case .until, .retry: "the clock"
        case .event: "an event"
        case .job: "a job"
        case .subworkflow: "a sub-run"
        case .pause: "a resume"
        case .policy: "an approval"
        }
    }
}

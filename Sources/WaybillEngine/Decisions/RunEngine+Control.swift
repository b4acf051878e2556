import WaybillCore
import WaybillManifests

// `@cancel`, `@pause` and the others: files through the same door, so that all that happened is in the tree.

extension RunEngine {
    mutating func control(_ file: InboxFile) throws(EngineError) {
        var body: Object
        switch file.content {
        case .refused(let kind, let message): return try reject(file, kind, message)
        case .bytes(let bytes):
            switch parseControl(bytes, file.name.format) {
            case .failure(let refusal): return try reject(file, refusal.kind, refusal.message)
            case .success(let object): body = object
            }
            var author: AdmittedAuthor?
            if !state.control.isEmpty {
                switch admit(file, controllingWith: &body) {
                case .failure(let refusal): return try reject(file, .control, refusal.message)
                case .success(let admitted): author = admitted
                }
            }
            guard let kind = ControlKind(key: file.name.key) else {
                let known = ControlKind.allCases.map(\.key)
                let hint =
                    Suggestion.hint(for: file.name.key, among: known) ?? "expected \(known.joined(separator: ", "))"
                return try reject(file, .control, "there is no control file '\(file.name.key)'; \(hint)")
            }
            let order = ParentOrder(body)
            let objection = order.map { self.objection(to: $0) } ?? self.objection(to: kind, body)
            if let objection { return try reject(file, .control, objection) }
            try accept(file, bytes, order: order, by: author)
            if let order { return try obey(order, body) }
            try carryOut(kind, body, actor: .user, by: author?.person.name ?? file.author)
        }
    }

    /// Whether somebody may control this run, which says who may; takes what they want out of its envelope.
    ///
    /// The token changes with every control file that is accepted, so that none can be used twice. Orders of the run
    /// that called this one, and of its concurrency group, come from whoever drives them all, and need none.
    private func admit(
        _ file: InboxFile, controllingWith body: inout Object
    ) -> Result<AdmittedAuthor?, Reply.Refusal> {
        let isOfGroup = state.group != nil && body["room"]?.stringValue != nil
        if ParentOrder(body) != nil || isOfGroup {
            if file.isOwnUser || file.uid == 0 { return .success(nil) }
            let message = "\(file.author) does not drive the run's \(isOfGroup ? "group" : "parent")"
            return .failure(Reply.Refusal(kind: .control, message: message))
        }
        guard let envelope = Envelope(.object(body)), let wanted = envelope.answer.objectValue,
            envelope.token == state.controlToken?.hex
        else {
            let message =
                "only {\"token\": ..., \"answer\": {\"reason\": ...}} counts, with the token that run.json has under `control`; it changes with every control file that is accepted"
            return .failure(Reply.Refusal(kind: .control, message: message))
        }
        var author: AdmittedAuthor?
        for rule in state.control {
            switch admit(file, under: rule) {
            case .failure(let refusal): return .failure(refusal)
            case .success(let admitted):
                let groups = (author?.groups ?? []) + admitted.groups
                author = admitted.person.signer == nil ? author ?? admitted : admitted
                author?.groups = groups
            }
        }
        body = wanted
        if let reason = body["reason"], reason.stringValue == nil {
            return .failure(
                Reply.Refusal(kind: .control, message: "reason: expected string, got \(reason.kindName)"))
        }
        return .success(author)
    }

    private func parseControl(_ bytes: [UInt8], _ format: AnswerName.Format?) -> Result<Object, Reply.Refusal> {
        let isBlank = bytes.allSatisfy { $0 == 0x20 || $0 == 0x0A || $0 == 0x0D || $0 == 0x09 }
        if isBlank { return .success(Object()) }
        let parsed: Result<Value, Reply.Refusal>
        switch format {
        case .text:
            guard let text = String(validating: bytes, as: UTF8.self) else {
                return .failure(Reply.Refusal(kind: .syntax, message: "is not UTF-8"))
            }
            parsed = .success(["reason": .string(text.utf8.last == 0x0A ? String(text.dropLast()) : text)])
        case .json, .yaml, nil:
            let reply = Reply(.any)
            parsed = reply.parse(bytes, as: format)
        }
        return parsed.flatMap { value in
            guard let object = value.objectValue else {
                return .failure(
                    Reply.Refusal(
                        kind: .control, message: "expected a map such as {\"reason\": \"...\"}, got \(value.kindName)"))
            }
            if let reason = object["reason"], reason.stringValue == nil {
                return .failure(
                    Reply.Refusal(kind: .control, message: "reason: expected string, got \(reason.kindName)"))
            }
            return .success(object)
        }
    }

    /// Why this control file does not apply now; nil if it does.
    func objection(to kind: ControlKind, _ body: Object) -> String? {
        switch kind {
        case .cancel:
            // Whose place another run is to have ends once, however often it is told: a second order to end is another one.
            let isOver = state.ending != nil && state.ending != .rollback
            return body["room"] != nil && isOver ? "the run is ending already" : nil
        case .pause:
            if state.ending == .rollback { return "the run is paused already" }
            if state.ending != nil { return "the run is ending" }
            return state.phase == .paused || state.isPauseRequested ? "the run is paused already" : nil
        case .resume:
            if state.isHeld { return "the run is held after a failure; @retry tries again, @cancel ends it" }
            return state.phase == .paused || state.isPauseRequested ? nil : "the run is not paused"
        case .retry: return state.isHeld ? nil : "nothing is held for a retry"
        case .snapshot:
            guard let name = body["name"]?.stringValue else { return "name: is missing" }
            if !SnapshotName.isValid(name) { return "name: '\(name)' \(SnapshotName.rule)" }
            if let tags = body["tags"], tags.listValue?.allSatisfy({ $0.stringValue != nil }) != true {
                return "tags: expected a list of strings"
            }
            return nil
        }
    }

    mutating func carryOut(
        _ kind: ControlKind, _ body: Object, actor: Actor, by author: String
    ) throws(EngineError) {
        var data = Object()
        if let reason = body["reason"] { data["reason"] = reason }
        switch kind {
        case .cancel: try cancel(data, actor: actor, by: author)
        case .pause: break
        case .retry:
            data["retry"] = true
            try emit(.runResumed, actor: actor, by: author, data)
        case .resume: try emit(.runResumed, actor: actor, by: author, data)
        case .snapshot:
            for member in ["name", "description", "tags"] { data[member] = body[member] }
            try takeSnapshot(data, actor: actor, by: author)
        }
    }

    /// The first cancellation ends attempts with TERM, a second one at once.
    private mutating func cancel(_ data: Object, actor: Actor, by author: String) throws(EngineError) {
        if state.ending == .cancellation {
            for attempt in state.outstandingAttempts { draft.effects.append(.kill(attempt.reference)) }
            guard !state.isAborted else { return }
        } else if state.stage == .onFailure || state.stage == .finally {
            for attempt in state.outstandingAttempts { draft.effects.append(.terminate(attempt.reference)) }
        }
        // A paused run is woken to be brought to its end.
        if state.phase == .paused {
            try emit(.runResumed, actor: actor, by: author, ["reason": "cancelled", "cancel": true])
        }
        try emit(.runCancelled, actor: actor, by: author, data)
    }
}

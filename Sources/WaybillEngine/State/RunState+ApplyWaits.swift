import WaybillCore
import WaybillManifests

// What entries say of waits and answers.

extension RunState {
    mutating func applyTaskWaiting(_ entry: Entry) throws(EngineError) {
        let data = entry.data
        let key = data["key"]?.stringValue ?? WaitKey.of(entry.step ?? "", visit: entry.visit ?? 1)
        let wait = wait(key, entry)
        // Without a step the run itself waits: to be admitted.
        guard entry.step != nil else {
            isUnadmitted = true
            return put(wait)
        }
        let id = try instance(of: entry)
        closeServants(of: id)
        put(wait)
        self[id].waitKeys.append(key)
        self[id].since = entry.ts
        ready.remove(id)
        if wait.reason == .policy {
            if self[id].visit != wait.visit {
                preserve(id, before: wait.visit)
                clearVisit(id)
            }
            self[id].visit = wait.visit
            self[id].intent = data["intent"]?.objectValue
        }
        if wait.reply != .unknown { setStatus(.waiting, of: id) }
        if frames[id.frame]?.isHalted == true { abandon(id) }
    }

    private func wait(_ key: String, _ entry: Entry) -> WaitState {
        let data = entry.data
        var wait = WaitState(
            key: key, step: entry.step ?? "", visit: entry.visit ?? 1,
            reason: WaitReason(rawValue: data["reason"]?.stringValue ?? "") ?? .user, since: entry.ts)
        wait.until = data["until"]?.stringValue.flatMap(Timestamp.init(rfc3339:))
        wait.prompt = data["prompt"]?.stringValue
        wait.choices = data["choices"]?.listValue?.compactMap(\.stringValue)
        wait.schema = data["schema"]
        wait.attachments = data["attach"]?.listValue ?? []
        wait.defaultAnswer = data["default"]
        wait.reply = data["reply"]?.stringValue.flatMap(ReplyForm.init(rawValue:))
        wait.branch = data["branch"]?.stringValue
        wait.event = EventSubscription(data["event"])
        wait.run = data["run"]?.stringValue
        wait.details = data["details"]?.objectValue
        wait.from = AnswererRule(data["from"])
        return wait
    }

    // MARK: - The table of waits

    mutating func put(_ wait: WaitState) {
        drop(waitWithKey: wait.key)
        waits[wait.key] = wait
        if let until = wait.until { deadlines.insert(Deadline(until: until, key: wait.key)) }
    }

    mutating func drop(waitWithKey key: String) {
        guard let wait = waits.removeValue(forKey: key), let until = wait.until else { return }
        deadlines.remove(Deadline(until: until, key: key))
    }

    /// Says that a step in a frame that is halted waits for nothing any more. A sub-run is work under way: it ends by
    /// itself. What the whole run's end closes is not noted here.
    mutating func abandon(_ id: InstanceID) {
        guard ending == nil || stage != .main, let key = self[id].waitKeys.first, let reason = waits[key]?.reason,
            reason != .subworkflow
        else { return }
        abandoned.insert(id)
    }

    mutating func applyTaskResumed(_ entry: Entry) throws(EngineError) {
        guard let key = entry.data["key"]?.stringValue else { return }
        guard entry.step != nil else { return applyAdmission(entry, key) }
        let id = try instance(of: entry)
        let by = entry.data["by"]?.stringValue
        let wait = waits[key]
        if by == "deadline", wait?.defaultAnswer != nil {
            self[id].answers.append(
                ["at": .string(entry.ts.description), "by": .null, "sha256": .null, "source": "default"])
        }
        // Of several waits the first that ends closes the others.
        for open in self[id].waitKeys {
            drop(waitWithKey: open)
            if closedWaits[open] == nil {
                closedWaits.insert(
                    ClosedWait(key: open, answer: nil, seq: entry.seq, isExpired: open == key && by == "deadline"))
            }
        }
        self[id].waitKeys = []
        abandoned.remove(id)
        switch wait?.reason {
        case .job?:
            setStatus(.running, of: id)
            guard by == "clock", case .wait(.job(let job)) = definition(of: id).action else { return }
            self[id].intent = wait?.details
            openFrame(.auxiliary(Frame.poll), job.poll, under: id)
        case .retry?, .policy?:
            if entry.data["approved"] == true {
                for name in ["digest", "grants"] {
                    if let approved = entry.data[name]?.stringValue { self[id].approvals.append(approved) }
                }
            }
            if wait?.reason == .retry, by == "end" { usage.retries = max(0, usage.retries - 1) }
            setStatus(.pending, of: id)
            if frames[id.frame]?.isHalted == false { ready.insert(id) }
        default: setStatus(.running, of: id)
        }
    }

    /// The run's own wait is over: it begins once it was approved.
    private mutating func applyAdmission(_ entry: Entry, _ key: String) {
        drop(waitWithKey: key)
        if closedWaits[key] == nil {
            let isExpired = entry.data["by"] == "deadline"
            closedWaits.insert(ClosedWait(key: key, answer: nil, seq: entry.seq, isExpired: isExpired))
        }
        if entry.data["approved"] == true { isUnadmitted = false }
    }

    /// A visit that begins with a question rather than an attempt has nothing of the visit before.
    private mutating func clearVisit(_ id: InstanceID) {
        self[id].attempt = 0
        self[id].startedAt = nil
        self[id].endedAt = nil
        self[id].output = nil
        self[id].items = nil
        self[id].exitCode = nil
        self[id].error = nil
        self[id].artifacts = []
        self[id].answers = []
        self[id].run = nil
        self[id].isFailureHandled = false
        self[id].approvals = []
    }

    // MARK: - Answers

    mutating func applyAnswerAccepted(_ entry: Entry) throws(EngineError) {
        let data = entry.data
        guard let key = data["key"]?.stringValue else { return }
        if key.hasPrefix("@") {
            if let order = data["order"]?.intValue { lastOrder = Int(order) }
            if key == ControlKind.pause.key {
                isPauseRequested = true
                isPausedByParent = data["order"] != nil
            }
            return
        }
        let digest = data["sha256"]?.stringValue.flatMap(Digest.init(hex:))
        let person = Answerer(data)
        if data["missing"] == nil {
            var closed = ClosedWait(key: key, answer: digest, seq: entry.seq, isExpired: false)
            for vote in waits[key]?.votes ?? [] { closed.earlier[vote.answer] = vote.seq }
            closedWaits.insert(closed)
        } else if let digest, let person {
            waits[key]?.votes.append(Vote(by: person, answer: digest, seq: entry.seq, at: entry.ts))
        }
        guard entry.step != nil else { return }
        let id = try instance(of: entry)
        // What somebody says of an attempt, or of whether it may begin, is no answer of the step.
        if waits[key]?.reply == .unknown || waits[key]?.reason == .policy { return }
        var answer: Object = ["at": .string(entry.ts.description), "source": "person"]
        answer["by"] = entry.by.map(Value.string) ?? .null
        answer["sha256"] = data["sha256"]
        for (name, value) in person?.record ?? Object() { answer[name] = value }
        Payload.read("value", from: data)?.write(as: "value", into: &answer)
        self[id].answers.append(.object(answer))
    }

    mutating func applyAnswerRejected(_ entry: Entry) {
        if let count = entry.data["count"]?.intValue {
            rejections.counted += Int(count)
            rejections.lastCountedAt = entry.ts
        } else {
            rejections.recorded += 1
        }
    }
}

/// The keys under which steps wait: they name files in `waits/` and inboxes.
package enum WaitKey {
    /// The address, and the visit from the second on; with a suffix for waits beside the step's own.
    package static func of(_ address: String, visit: Int, suffix: String? = nil) -> String {
        let key = visit > 1 ? "\(address).\(visit)" : address
        return suffix.map { "\(key)-\($0)" } ?? key
    }
}

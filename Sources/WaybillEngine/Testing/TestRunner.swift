import WaybillCore
package import WaybillManifests

/// Runs the cases of a `kind: Test` on the engine itself: no process, no file, no clock but the case's own.
///
/// What a case does not say is fixed: the run starts at 2026-01-01T00:00:00Z, its id is the workflow's name with
/// `-test`, an attempt takes no time, a jitter is none. While something goes on the clock stands still, except for
/// back-offs of retries; the case's `events` come when nothing goes on any more, and `advance` moves the clock after them.
package struct TestRunner {
    /// More decisions than this, and the case is taken for one that never ends.
    private static let mostSteps = 100_000
    private static let start = Timestamp(rfc3339: "2026-01-01T00:00:00Z") ?? Timestamp(microseconds: 0)

    /// Something that happens at a moment of the case's clock.
    private struct Happening {
        var at: Timestamp
        var stimulus: Stimulus
    }

    private let definition: RunDefinition
    private let test: TestCase
    private let payloads = TestPayloads()
    private var engine: RunEngine
    private var now = Self.start
    private var due: [Happening] = []
    private var entries: [Entry] = []
    /// How many attempts each address has had.
    private var attempts: [String: Int] = [:]
    private var answered: Set<String> = []
    private var use = TestUse()
    private var events: [(seq: Int, event: Value)] = []
    private var eventsToCome: [Value]
    private var report: TestReport

    private init(_ test: TestCase, of name: String, definition: RunDefinition) {
        self.test = test
        self.definition = definition
        eventsToCome = test.events
        report = TestReport(test: name, name: test.name, place: test.place)
        engine = RunEngine(
            definition: definition, state: RunState(definition: definition.workflow, genesis: definition.digest),
            payloads: payloads)
    }

    /// Runs the cases of a test, or the one of a name.
    ///
    /// Cases often share stubs, by YAML's aliases. A stub that none of them takes fails the first one that has it; what
    /// cases have that are not played, or that cannot be played, may be theirs.
    ///
    /// - Parameter definition: the workflow the test names, with its policies and what it calls.
    package static func run(
        _ test: TestDefinition, case name: String? = nil, definition: RunDefinition
    ) -> [TestReport] {
        var taken: Set<SourcePlace> = []
        var played: [(test: TestCase, report: TestReport)] = []
        for testCase in test.cases {
            let isWanted = name == nil || testCase.name == name
            let report = isWanted ? run(testCase, of: test.name, definition: definition) : nil
            if let report, report.problem == nil {
                taken.formUnion(report.takenStubs)
            } else {
                taken.formUnion(testCase.stubPlaces)
            }
            if let report { played.append((testCase, report)) }
        }
        return played.map { test, report in
            var report = report
            report.misses += TestUse.untakenStubs(of: test, taken: taken)
            taken.formUnion(test.stubPlaces)
            return report
        }
    }

    private static func run(_ test: TestCase, of name: String, definition: RunDefinition) -> TestReport {
        var runner = TestRunner(test, of: name, definition: definition)
        do throws(TestProblem) {
            try runner.play()
        } catch {
            runner.report.problem = error.message
        }
        runner.report.story = runner.entries.map(TestStory.line)
        if runner.report.problem == nil {
            runner.report.misses =
                TestComparison(
                    entries: runner.entries, state: runner.engine.state, payloads: runner.payloads
                ).misses(of: test.expect) + runner.use.unaskedAnswers(of: test)
        }
        runner.report.takenStubs = runner.use.stubs
        return runner.report
    }

    // MARK: - Playing

    private mutating func play() throws(TestProblem) {
        let inputs: Object
        do throws(GivenInputs.Problems) {
            inputs = try GivenInputs.check(
                test.inputs, against: definition.workflow.inputs, of: definition.workflow.name)
        } catch {
            throw TestProblem("the inputs do not fit: " + error.messages.joined(separator: "; "))
        }
        try send(
            .start(
                RunStart(
                    id: "\(definition.workflow.name)-test", commit: nil, inputs: inputs,
                    trigger: ["type": "test", "by": "test"], actor: .user, by: "test")))
        let end = test.advance.map { Self.start + $0 }
        var steps = 0
        while !engine.state.phase.isEnded {
            steps += 1
            guard steps < Self.mostSteps else { throw TestProblem("the case does not come to an end") }
            if try happen(before: nil) { continue }
            if try answer() { continue }
            if try deliverEvent() { continue }
            if try passBackoff() { continue }
            if !eventsToCome.isEmpty {
                try accept(eventsToCome.removeFirst())
            } else if let end, let tick = nextMoment, tick <= end {
                now = max(now, tick)
                if try !happen(before: tick) { try send(.tick) }
            } else {
                break
            }
        }
    }

    private var nextMoment: Timestamp? { [due.map(\.at).min(), engine.nextTick].compactMap { $0 }.min() }

    private mutating func send(_ stimulus: Stimulus) throws(TestProblem) {
        var next: Stimulus? = stimulus
        while let stimulus = next {
            let decision: Decision
            do throws(EngineError) {
                decision = try engine.handle(stimulus, at: Moment(now: now, boot: "test", journalSeq: events.count))
            } catch {
                throw TestProblem(error.message)
            }
            payloads.keep(decision.blobs)
            entries += decision.entries.map(\.entry)
            for effect in decision.effects { try carryOut(effect) }
            next = decision.hasMore ? .resume : nil
        }
        try startCalls()
    }

    /// What is due at the clock's present time, or, given a moment, then.
    private mutating func happen(before moment: Timestamp?) throws(TestProblem) -> Bool {
        guard let first = due.indices.min(by: { (due[$0].at, $0) < (due[$1].at, $1) }), due[first].at <= moment ?? now
        else { return false }
        let happening = due.remove(at: first)
        now = max(now, happening.at)
        try send(happening.stimulus)
        return true
    }

    /// A back-off is over as soon as nothing else goes on.
    private mutating func passBackoff() throws(TestProblem) -> Bool {
        guard let until = engine.state.waits.values.filter({ $0.reason == .retry }).compactMap(\.until).min() else {
            return false
        }
        now = max(now, until)
        try send(.tick)
        return true
    }

    // MARK: - Attempts

    private mutating func carryOut(_ effect: Effect) throws(TestProblem) {
        switch effect {
        case .launch(let attempt): try launch(attempt)
        case .terminate(let reference), .kill(let reference):
            due.removeAll { $0.stimulus.reference == reference }
            let result = AttemptResult(outcome: .stopped, startedAt: now, endedAt: now)
            if engine.state.outstandingAttempts.contains(where: { $0.reference == reference }) {
                due.append(Happening(at: now, stimulus: .attemptEnded(reference, result)))
            }
        case .writeCheckpoint, .settle, .startRun, .instructChildren: break
        }
    }

    private mutating func launch(_ attempt: Attempt) throws(TestProblem) {
        let reference = attempt.reference
        if attempt.intent["action"] == "emit" {
            events.append((events.count + 1, attempt.intent["event"] ?? .null))
            return due.append(Happening(at: now, stimulus: .emitted(reference, seq: events.count)))
        }
        let stub = try stub(for: reference.step, visit: reference.visit)
        guard let step = definition.workflow.step(at: reference.step)?.performed else {
            throw TestProblem("\(reference.step) is no step of the workflow")
        }
        let end = now + (stub.takes ?? .zero)
        if stub.isLost {
            due.append(Happening(at: end, stimulus: .attemptLost(reference, reason: "the test lost it")))
            return
        }
        // What takes longer than the step may is ended by its timeout.
        let limit = attempt.intent["timeout"]?.stringValue.flatMap(Duration.init(text:))
        if let limit, let takes = stub.takes, takes > limit {
            let result = AttemptResult(outcome: .timedOut, startedAt: now, endedAt: now + limit)
            return due.append(Happening(at: now + limit, stimulus: .attemptEnded(reference, result)))
        }
        let result = try stub.result(for: step, of: reference.step, from: now, to: end)
        due.append(Happening(at: end, stimulus: .attemptEnded(reference, result)))
    }

    /// The next stub of an address; the last one serves all further attempts.
    private mutating func stub(for address: String, visit: Int) throws(TestProblem) -> TestStub {
        let number = attempts[address, default: 0]
        attempts[address] = number + 1
        guard let key = stubKey(for: address), let stubs = test.stubs[key], !stubs.isEmpty else {
            return TestStub(place: test.place)
        }
        let index = min(number, stubs.count - 1)
        use.take(stubs[index])
        return stubs[index]
    }

    /// Where the stubs of an address stand: under itself; else, for a poll, under the step that waits for the job; else,
    /// for an item, under the whole loop. Nil where there are none.
    private func stubKey(for address: String) -> String? {
        let suffix = "-\(Frame.poll)"
        let step = address.hasSuffix(suffix) ? String(address.dropLast(suffix.count)) : address
        if let key = [address, step].first(where: { test.stubs[$0] != nil }) { return key }
        guard let dash = step.lastIndex(of: "-"), Int(step[step.index(after: dash)...]) != nil else { return nil }
        let loop = String(step[..<dash])
        return test.stubs[loop] == nil ? nil : loop
    }

    // MARK: - Calls

    /// A call is stubbed as a whole: the sub-run's own workflow has tests of its own.
    private mutating func startCalls() throws(TestProblem) {
        for wait in engine.state.waits.values.sorted(by: { $0.key < $1.key }) {
            guard wait.reason == .subworkflow, let run = wait.run, answered.insert(run).inserted else { continue }
            if wait.details?["detach"] == true {
                due.append(Happening(at: now, stimulus: .childStarted(waitKey: wait.key)))
                continue
            }
            guard stubKey(for: wait.step) != nil else {
                throw TestProblem(
                    "\(wait.step) calls another workflow: give it a stub with its `output`, or an `error`")
            }
            let stub = try stub(for: wait.step, visit: wait.visit)
            due.append(
                Happening(at: now + (stub.takes ?? .zero), stimulus: .childEnded(waitKey: wait.key, stub.childEnd(run)))
            )
        }
    }

    // MARK: - Answers and events

    private mutating func answer() throws(TestProblem) -> Bool {
        for wait in engine.state.waits.values.sorted(by: { ($0.since, $0.key) < ($1.since, $1.key) }) {
            guard wait.reply != nil || wait.reason == .policy, !answered.contains(wait.key),
                let given = answer(for: wait)
            else { continue }
            answered.insert(wait.key)
            use.takeAnswer(given.key, number: given.number)
            for number in 0..<(wait.from?.quorum ?? 1) {
                guard engine.state.waits[wait.key]?.token == wait.token else { break }
                try send(answer: given.value, to: wait, asPerson: number)
            }
            return true
        }
        return false
    }

    /// What people say comes from people who may say it: a test is about what follows.
    private mutating func send(
        answer value: Value, to wait: WaitState, asPerson number: Int
    ) throws(TestProblem) {
        var value = value
        if wait.from != nil, let token = wait.token { value = ["token": .string(token.hex), "answer": value] }
        let bytes = JSON.compact(value) + Array(repeating: 0x20, count: number)
        var file = InboxFile(
            name: AnswerName(file: "\(wait.key).json"), content: .bytes(bytes), digest: Digest.sha256(bytes),
            size: bytes.count, uid: number, user: number == 0 ? "test" : "test\(number + 1)", changedAt: now)
        if let rule = wait.from {
            file.groups = rule.groups
            if rule.groups.isEmpty, rule.users.indices.contains(number) { file.user = rule.users[number] }
            if rule.groups.isEmpty, rule.users.isEmpty, rule.signers.indices.contains(number) {
                file.signature = .valid(principals: [rule.signers[number]], key: "test\(number + 1)")
            }
        }
        let before = entries.count
        try send(.file(file))
        if let refusal = entries[before...].first(where: { $0.type == .answerRejected }) {
            throw TestProblem("the answer to \(wait.key) is refused: \(refusal.data["message"]?.stringValue ?? "")")
        }
    }

    /// An answer stands under the wait's key, or in a list under that of the first visit.
    private func answer(for wait: WaitState) -> (key: String, number: Int?, value: Value)? {
        if let given = test.answers.first(where: { $0.key == wait.key }) {
            guard wait.visit == 1, let first = given.value.listValue?.first else {
                return (given.key, nil, given.value)
            }
            return (given.key, 0, first)
        }
        let dot = wait.key.lastIndex(of: ".")
        guard wait.visit > 1, let dot,
            let given = test.answers.first(where: { $0.key == wait.key[..<dot] }),
            let list = given.value.listValue, list.indices.contains(wait.visit - 1)
        else { return nil }
        return (given.key, wait.visit - 1, list[wait.visit - 1])
    }

    private mutating func accept(_ event: Value) throws(TestProblem) {
        var object = event.objectValue ?? Object()
        let seq = events.count + 1
        for (name, value): (String, Value) in [
            ("specversion", "1.0"), ("id", .string("event-\(seq)")), ("source", "/test"),
            ("time", .string(now.description)),
        ] where object[name] == nil { object[name] = value }
        events.append((seq, .object(object)))
        _ = try deliverEvent()
    }

    private mutating func deliverEvent() throws(TestProblem) -> Bool {
        for wait in engine.state.waits.values.sorted(by: { $0.key < $1.key }) {
            guard let subscription = wait.event else { continue }
            let taken = engine.eventsTaken(waitKey: wait.key)
            let next = events.first { event in
                event.seq > subscription.cursor && !taken.contains(event.seq)
                    && engine.matches(waitKey: wait.key, event: event.event)
            }
            guard let next else { continue }
            try send(.event(waitKey: wait.key, seq: next.seq, event: next.event))
            return true
        }
        return false
    }
}

/// Why a case cannot be played.
struct TestProblem: Error {
    let message: String

    init(_ message: String) { self.message = message }
}

extension Stimulus {
    fileprivate var reference: AttemptReference? {
        switch self {
        case .attemptEnded(let reference, _), .attemptLost(let reference, _): reference
        default: nil
        }
    }
}

extension TestCase {
    fileprivate var stubPlaces: [SourcePlace] { stubs.values.flatMap { $0.map(\.place) } }
}

import Testing
import WaybillCore
import WaybillEngine
import WaybillManifests

/// What must hold of every run, tried on runs made from seeds. A failure names its seed.
@Suite("Replay equals live")
struct ReplayTests {
    private static let stimuliPerRun = 60

    /// A run that random things happened to, ended or not.
    private func run(seed: UInt64, signed: Bool = false, each: (EngineRun, Stimulus) throws -> Void = { _, _ in })
        throws -> EngineRun
    {
        var workflow = RandomWorkflow(seed: seed)
        var stimuli = RandomStimuli(seed: seed)
        var run = try EngineRun(workflow.yaml(), limits: stimuli.limits)
        run.goesOn = false
        if signed, let key = SigningKey.generate(name: "test") { run.sign = { key.draft(over: $0) } }
        try run.begin(retry: workflow.retryOverride())
        for _ in 0..<Self.stimuliPerRun {
            if run.state.phase.isEnded, !run.hasMore { break }
            run.now = run.now + stimuli.pause()
            let stimulus = stimuli.next(for: run)
            try each(run, stimulus)
            try run.send(stimulus)
        }
        return run
    }

    private func items(_ run: EngineRun, chunk: Int = 977) -> [LedgerScanner.Item] {
        var scanner = LedgerScanner(after: .start(genesis: run.definition.digest))
        var items: [LedgerScanner.Item] = []
        var rest = run.lines[...]
        while !rest.isEmpty {
            scanner.feed(Array(rest.prefix(chunk))) { items.append($0) }
            rest = rest.dropFirst(chunk)
        }
        #expect(scanner.finish().head.digest == run.state.head)
        return items
    }

    private func expectSame(_ state: RunState, as live: RunState, _ what: String) {
        #expect(state.checkpointBytes() == live.checkpointBytes(), "\(what): the checkpoints differ")
        #expect(RunProjection.bytes(state) == RunProjection.bytes(live), "\(what): run.json differs")
        #expect(state.waits == live.waits, "\(what)")
        #expect(state.ready == live.ready, "\(what)")
        #expect(state.abandoned == live.abandoned, "\(what)")
        #expect(state.outstanding == live.outstanding, "\(what)")
        for (id, frame) in live.frames {
            #expect(state.frames[id]?.steps == frame.steps, "\(what): frame \(id)")
            #expect(state.frames[id]?.unsettledNeeds == frame.unsettledNeeds, "\(what): frame \(id)")
            #expect(state.frames[id]?.unsettled == frame.unsettled, "\(what): frame \(id)")
            #expect(state.frames[id]?.begun == frame.begun, "\(what): frame \(id)")
        }
        #expect(state.frames.count == live.frames.count, "\(what)")
        #expect(state.counts == live.counts, "\(what)")
        #expect(state.closedWaits == live.closedWaits, "\(what)")
        #expect(state.nextDeadline == live.nextDeadline, "\(what)")
    }

    @Test(
        "a ledger folds to the state the run had, and every checkpoint on the way is found again",
        arguments: 0..<UInt64(120))
    func fold(seed: UInt64) throws {
        let run = try run(seed: seed, signed: seed % 2 == 1)
        let items = items(run)
        #expect(items.map(\.entry) == run.entries)
        var written = Dictionary(uniqueKeysWithValues: run.checkpoints.map { ($0.seq, $0.bytes) })
        var state = RunState(definition: run.definition.workflow, genesis: run.definition.digest)
        var before: [UInt8] = []
        for item in items {
            if item.entry.type == .checkpoint {
                #expect(item.entry.data["seq"] == .int(Int64(state.seq)))
                #expect(item.entry.data["sha256"] == .string(Digest.sha256(before).hex))
                #expect(item.entry.data["size"] == .int(Int64(before.count)))
                #expect(item.entry.data["bytes"] == .int(Int64(state.ledgerBytes)))
                #expect(written.removeValue(forKey: state.seq) == before)
            }
            try state.apply(item.entry)
            state.seal(item.entry, digest: item.digest, byteCount: item.length)
            before = state.checkpointBytes()
        }
        #expect(written.isEmpty)
        expectSame(state, as: run.state, "from the start")
    }

    @Test(
        "a state read from any checkpoint and folded on is the state folded from the start", arguments: 0..<UInt64(80))
    func checkpoints(seed: UInt64) throws {
        let run = try run(seed: seed, signed: seed % 2 == 1)
        let items = items(run)
        for checkpoint in run.checkpoints {
            var state = try RunState(checkpoint: checkpoint.bytes, definition: run.definition.workflow)
            #expect(state.checkpointBytes() == checkpoint.bytes)
            // What an earlier build wrote says the same.
            let earlier = state.checkpointBytes(isIndented: true)
            #expect(earlier.count > checkpoint.bytes.count)
            #expect(
                try RunState(checkpoint: earlier, definition: run.definition.workflow).checkpointBytes()
                    == checkpoint.bytes)
            for item in items where item.entry.seq > checkpoint.seq {
                try state.apply(item.entry)
                state.seal(item.entry, digest: item.digest, byteCount: item.length)
            }
            expectSame(state, as: run.state, "from checkpoint \(checkpoint.seq)")
        }
    }

    @Test(
        "an engine that reads its state from a checkpoint decides as the one that never stopped",
        arguments: 0..<UInt64(60))
    func decisions(seed: UInt64) throws {
        _ = try run(seed: seed) { run, stimulus in
            let state = try RunState(checkpoint: run.state.checkpointBytes(), definition: run.definition.workflow)
            var twin = RunEngine(
                definition: run.definition, state: state, payloads: run.store, limits: run.engine.limits,
                uncountedRejections: run.engine.uncountedRejections)
            var live = run.engine
            let moment = Moment(now: run.now, boot: "boot-1")
            let expected = try live.handle(stimulus, at: moment)
            let decision = try twin.handle(stimulus, at: moment)
            #expect(decision.lines == expected.lines)
            #expect(decision.blobs == expected.blobs)
            #expect(decision.hasMore == expected.hasMore)
            #expect(decision.effects.count == expected.effects.count)
        }
    }

    @Test("every run can be cancelled, and ends once its attempts have", arguments: 0..<UInt64(40))
    func cancelled(seed: UInt64) throws {
        var run = try run(seed: seed)
        run.goesOn = true
        if run.hasMore { try run.send(.resume) }
        guard !run.state.phase.isEnded else { return }
        // The first ends what runs, and undoes; another one ends that as well.
        for _ in 0..<3 where !run.state.phase.isEnded {
            let token = run.state.controlToken?.hex
            try run.drop("@cancel.json", token.map { "{\"token\":\"\($0)\",\"answer\":{}}" } ?? "")
            for attempt in run.state.outstandingAttempts {
                let result = AttemptResult(outcome: .stopped, startedAt: run.now, endedAt: run.now)
                try run.send(.attemptEnded(attempt.reference, result))
            }
            for wait in run.state.awaitedRuns where run.state.childOrder == .cancel || run.state.childOrder == .abort {
                let end = ChildEnd(run: wait.run, status: .cancelled, outputs: nil, error: nil, head: .zero)
                try run.send(.childEnded(waitKey: wait.key, end))
            }
        }
        #expect(run.state.phase.isEnded)
        #expect(run.state.waits.isEmpty)
        #expect(run.state.counts.active == 0)
        #expect(run.entries.last?.type == .runEnd)
    }

    @Test("an attempt is started once and ends once, and nothing follows the end", arguments: 0..<UInt64(40))
    func onlyOnce(seed: UInt64) throws {
        let run = try run(seed: seed)
        var started: Set<AttemptReference> = []
        var ended: Set<String> = []
        for entry in run.entries where entry.type == .taskStart || entry.type == .taskEnd {
            let step = try #require(entry.step)
            let visit = try #require(entry.visit)
            let name = "\(step).\(visit)"
            if entry.type == .taskStart {
                let reference = AttemptReference(step: step, visit: visit, attempt: try #require(entry.attempt))
                #expect(started.insert(reference).inserted, "\(entry.summary) starts again")
                #expect(!ended.contains(name), "\(entry.summary) starts after its end")
            } else {
                #expect(ended.insert(name).inserted, "\(entry.summary) ends again")
            }
        }
        let end = run.entries.firstIndex { $0.type == .runEnd }
        #expect(end == nil || end == run.entries.count - 1)
    }
}

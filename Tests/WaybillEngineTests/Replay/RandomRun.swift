import WaybillCore
import WaybillEngine
import WaybillTestKit

/// Stimuli chosen at random among those that can happen to a run as it stands, and some that should not.
struct RandomStimuli {
    private var random: SeededGenerator

    init(seed: UInt64) { random = SeededGenerator(~seed) }

    var limits: EngineLimits {
        var random = random
        var limits = EngineLimits()
        limits.stepsPerDecision = Int.random(in: 1...6, using: &random)
        limits.smallCheckpoint = random.pick([0, 2_000, 64 << 10])
        limits.tail = random.pick([400, 4_000, 1 << 20])
        return limits
    }

    /// How far the clock moves before the next stimulus; sometimes back.
    mutating func pause() -> Duration {
        random.chance(10) ? .seconds(-300) : .milliseconds(Int.random(in: 0...90_000, using: &random))
    }

    mutating func chunk() -> Int { Int.random(in: 1...2_000, using: &random) }

    mutating func next(for run: EngineRun) -> Stimulus {
        if run.hasMore, random.chance(80) { return .resume }
        let attempts = run.state.outstandingAttempts
        switch Int.random(in: 0..<100, using: &random) {
        case 0..<45:
            guard !attempts.isEmpty else { return answer(run) }
            return end(random.pick(attempts), now: run.now)
        case 45..<50:
            guard !attempts.isEmpty else { return .tick }
            return .attemptLost(random.pick(attempts).reference, reason: "lost")
        case 50..<57: return child(run)
        case 57..<70: return answer(run)
        case 70..<92: return .tick
        default: return control(run)
        }
    }

    private mutating func end(_ attempt: Attempt, now: Timestamp) -> Stimulus {
        let outcome = random.pick([
            AttemptResult.Outcome.exited(0), .exited(0), .exited(0), .exited(0), .exited(2), .exited(75), .signalled(9),
            .timedOut, .stopped, .withoutSecret("there is no file /t"),
        ])
        let texts = [
            "{\"n\": 1.50, \"é\": [null, 1e2]}", "7", "text\n", "\"\\u0000\"",
            "[" + String(repeating: "1,", count: 40_000) + "1]",
        ]
        let output: AttemptResult.Output =
            random.chance(90) ? .bytes(Array(random.pick(texts).utf8)) : .missing("cut off")
        let artifact = ArtifactRecord(
            name: "a", digest: Digest.sha256("a"), size: 1, mediaType: "text/plain", path: "p")
        var result = AttemptResult(
            outcome: outcome, output: output, artifacts: random.chance(20) ? [artifact] : [], startedAt: now,
            endedAt: now + .milliseconds(Int.random(in: -5...500, using: &random)))
        if random.chance(5) { result.secretProblem = "the output holds a secret of the step" }
        return .attemptEnded(attempt.reference, result)
    }

    private mutating func child(_ run: EngineRun) -> Stimulus {
        let awaited = run.state.awaitedRuns
        guard !awaited.isEmpty else { return .tick }
        let (key, child) = random.pick(awaited)
        let status = random.pick([RunStatus.completed, .completed, .failed, .cancelled])
        let isDone = status == .completed
        var usage = Usage()
        usage.started = Int.random(in: 0...3, using: &random)
        usage.cost = random.pick([0, 0.1, 0.7])
        return .childEnded(
            waitKey: key,
            ChildEnd(
                run: child, status: status, outputs: isDone ? ["n": 1] : nil,
                error: isDone ? nil : Failure(.exit, "exited with code 1"), head: Digest.sha256(child),
                canBeUndone: isDone && random.chance(60), hasStandingEffects: !isDone && random.chance(30),
                usage: usage, isRefused: !isDone && random.chance(20)))
    }

    private mutating func answer(_ run: EngineRun) -> Stimulus {
        let keys = run.state.waits.keys.sorted() + ["nobody", "s0", "s1.2"]
        let name = random.pick(keys) + random.pick([".json", ".txt", ".yaml", "--x.json"])
        var text = random.pick([
            "yes", "no", "\"yes\"", "true", "7", "1", "done", "\"retry\"", "failed", "{", "{\"approve\":true}",
        ])
        let tokens = run.state.waits.values.sorted { $0.key < $1.key }.compactMap { $0.token?.hex }
        if !tokens.isEmpty, random.chance(30) {
            let token = run.state.waits[AnswerName(file: name).key]?.token?.hex ?? random.pick(tokens)
            text = "{\"token\":\"\(token)\",\"answer\":\(random.pick(["true", "true", "false", text]))}"
        }
        let changed = run.now + .seconds(Int.random(in: -400...0, using: &random))
        return .file(author(of: EngineRun.file(name, Array(text.utf8), changedAt: changed)))
    }

    private mutating func author(of file: InboxFile) -> InboxFile {
        var file = file
        let people = ["bob", "carol", "dave", "erin"]
        let person = Int.random(in: 0..<people.count, using: &random)
        file.uid = 1000 + person
        file.user = people[person]
        file.isOwnUser = random.chance(10)
        if random.chance(10) { file.permissions = 0o660 }
        if random.chance(20) { file.signature = .valid(principals: ["alice"], key: "k") }
        return file
    }

    private mutating func control(_ run: EngineRun) -> Stimulus {
        let key = random.pick(["@pause", "@pause", "@resume", "@resume", "@snapshot", "@cancel", "@retry"])
        var text = "{\"name\":\"mark\"}"
        if let token = run.state.controlToken?.hex, random.chance(70) {
            text = "{\"token\":\"\(token)\",\"answer\":\(text)}"
        }
        return .file(EngineRun.file(key + ".json", Array(text.utf8), changedAt: run.now))
    }
}

import Testing
import WaybillCore
import WaybillEngine

@testable import WaybillCommands

@Suite("What a ledger says of its steps")
struct StepHistoryTests {
    private static let start = Timestamp(microseconds: 1_763_632_800_000_000)

    private func history(_ entries: [(EntryType, String, visit: Int, Object)]) -> StepHistory {
        var history = StepHistory()
        for (index, entry) in entries.enumerated() {
            history.take(
                Entry(
                    seq: index + 1, ts: Self.start + .seconds(index), type: entry.0, step: entry.1, visit: entry.visit,
                    attempt: 1, data: entry.3, prev: .zero))
        }
        return history
    }

    @Test("a skip shows its `if` and the values that it saw")
    func skip() {
        let history = history([
            (
                .guardEval, "publish", 1,
                [
                    "expression": "steps.ask.output.approve", "result": false,
                    "values": ["steps.ask.output.approve": false],
                ]
            ),
            (.taskEnd, "publish", 1, ["status": "skipped", "reason": "if"]),
        ])
        #expect(history.steps.map(\.status) == ["skipped"])
        #expect(history.steps[0].detail == "if steps.ask.output.approve: steps.ask.output.approve = false")
    }

    @Test("what was undone is compensated, unless that failed or a rejected result was undone before its visit ended")
    func compensated() {
        func undoing(_ status: String, _ data: Object) -> StepHistory {
            history([
                (.taskEnd, "a", 1, ["status": "completed"]), (.compensation, "a", 1, data),
                (.taskStart, "a-compensate", 1, ["action": "run"]),
                (.taskEnd, "a-compensate", 1, ["status": .string(status)]),
            ])
        }
        #expect(undoing("completed", ["status": "started"]).steps.map(\.status) == ["compensated", "completed"])
        #expect(undoing("failed", ["status": "started"]).steps.map(\.status) == ["completed", "failed"])
        #expect(undoing("completed", ["reason": "rejected"]).steps.map(\.status) == ["completed", "completed"])
    }

    @Test("a need that did not come true is shown in the ledger's words")
    func unmetNeed() {
        let history = history([
            (.taskEnd, "b", 1, ["status": "skipped", "reason": "needs a to have completed, and it is failed"])
        ])
        #expect(history.steps[0].detail == "needs a to have completed, and it is failed")
    }

    @Test("a process is timed from its start to its end, and its attempts are listed for their logs")
    func process() {
        let history = history([
            (.taskStart, "build", 1, ["action": "run"]),
            (.taskEnd, "build", 1, ["status": "failed", "exitCode": 2, "error": ["message": "exited with code 2"]]),
        ])
        #expect(history.steps[0].duration(now: .latest) == .seconds(1))
        #expect(history.steps[0].detail == "exited with code 2")
        #expect(history.steps[0].exitCode == 2)
        #expect(history.attempts == [AttemptReference(step: "build", visit: 1, attempt: 1)])
    }

    @Test("a new visit forgets the one before")
    func visits() {
        let history = history([
            (.taskStart, "draft", 1, ["action": "run"]),
            (.taskEnd, "draft", 1, ["status": "completed", "exitCode": 3]),
            (.taskStart, "draft", 2, ["action": "ask"]),
            (.taskWaiting, "draft", 2, ["key": "draft.2"]),
        ])
        #expect(history.steps.count == 1)
        #expect(history.steps[0].status == "waiting")
        #expect(history.steps[0].exitCode == nil)
        #expect(history.steps[0].detail == "waits for draft.2")
    }

    @Test("those at work are known in the order in which they came up, and each step by its address")
    func running() {
        let started: [(EntryType, String, visit: Int, Object)] = ["b", "c", "a"].map {
            (.taskStart, $0, 1, ["action": "run"])
        }
        #expect(history(started).running.map(\.id) == ["b", "c", "a"])
        let later = history(
            started + [
                (.taskEnd, "c", 1, ["status": "completed"]), (.taskWaiting, "b", 1, ["key": "b"]),
                (.taskStart, "c", 2, ["action": "run"]),
            ])
        #expect(later.running.map(\.id) == ["c", "a"])
        #expect(later.step("b")?.status == "waiting")
        #expect(later.step("c")?.visit == 2)
        #expect(later.step("d") == nil)
        #expect(history(started + started.map { (.taskEnd, $0.1, 1, ["status": "failed"]) }).running.isEmpty)
    }

    @Test("a status that is not known yet is shown as it is")
    func newerStatus() {
        let history = history([(.taskEnd, "x", 1, ["status": "teleported"])])
        #expect(history.steps[0].status == "teleported")
    }
}

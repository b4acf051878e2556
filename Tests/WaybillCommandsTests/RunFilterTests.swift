import Testing
import WaybillCore

@testable import WaybillCommands

@Suite("Filters of listings")
struct RunFilterTests {
    private let now = Timestamp(rfc3339: "2026-11-20T12:00:00Z") ?? .earliest

    private func holds(
        statuses: [String] = [], workflows: [String] = [], labels: [String] = [], since: String? = nil
    ) throws -> Bool {
        let run = try #require(RunID("r"))
        let glance = Glance(
            run,
            [
                "status": "waiting", "workflow": "release", "labels": ["environment": "production"],
                "startedAt": "2026-11-20T11:00:00Z",
            ])
        return try RunFilter(statuses: statuses, workflows: workflows, labels: labels, since: since, now: now)
            .holds(glance)
    }

    @Test("no filter lets everything through")
    func none() throws { #expect(try holds()) }

    @Test("several statuses are alternatives, also in one option")
    func statuses() throws {
        #expect(try holds(statuses: ["failed", "waiting"]))
        #expect(try holds(statuses: ["failed,waiting"]))
        #expect(try !holds(statuses: ["failed"]))
    }

    @Test("all labels must hold")
    func labels() throws {
        #expect(try holds(labels: ["environment=production"]))
        #expect(try !holds(labels: ["environment=production", "team=a"]))
        #expect(throws: CommandError.self) { try holds(labels: ["environment"]) }
    }

    @Test("since takes a duration or a time")
    func since() throws {
        #expect(try holds(since: "2h"))
        #expect(try !holds(since: "30m"))
        #expect(try holds(since: "2026-11-20T11:00:00Z"))
        #expect(throws: CommandError.self) { try holds(since: "yesterday") }
    }
}

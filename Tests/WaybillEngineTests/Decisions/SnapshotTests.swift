import Testing
import WaybillCore
import WaybillEngine

@Suite("Snapshots")
struct SnapshotTests {
    @Test("a snapshot is an entry with name, description and tags, and the step's output")
    func snapshot() throws {
        var run = try EngineRun.started(
            graph("{id: s, snapshot: {name: 'v${{ 1 + 1 }}', description: It works, tags: [good, '${{ \"x\" }}']}}"))
        #expect(
            run.news().dropFirst() == [
                "TASK_START s/1 snapshot", "SNAPSHOT s v2",
                "TASK_END s/1 completed output={\"description\":\"It works\",\"name\":\"v2\",\"tags\":[\"good\",\"x\"]}",
                "RUN_END completed outputs={}",
            ])
        let record = try #require(run.state.snapshots["v2"])
        #expect(record.seq == 3)
        #expect(record.tags == ["good", "x"])
        #expect(record.step == "s")
        #expect(record.by == nil)
    }

    @Test("a name that is taken gets the next free number, which the output tells")
    func collision() throws {
        let run = try EngineRun.started(
            graph("{id: a, snapshot: {name: n}}", "{id: b, snapshot: {name: n}}", "{id: c, snapshot: {name: n.2}}"))
        #expect(run.entries(.snapshot).map { $0.data["name"] } == ["n", "n.2", "n.2.2"])
        #expect(["a", "b", "c"].map { run.output($0)?["name"] } == ["n", "n.2", "n.2.2"])
        #expect(run.state.snapshots.count == 3)
    }

    @Test("a name that is no file name fails the step", arguments: ["", "../x", ".x", "a/b", "a b", "ä"])
    func badNames(name: String) throws {
        let run = try EngineRun.started(
            "kind: Workflow\nname: w\ninputs: {n: {type: string}}\nsteps: [{id: s, snapshot: {name: '${{ inputs.n }}'}}]\n",
            inputs: ["n": .string(name)])
        #expect(run.state.error?.kind == .expression)
        #expect(run.state.snapshots.isEmpty)
    }

    @Test("tags that are no list of texts, and texts too large for a bookmark, fail the step")
    func badFields() throws {
        let tags = try EngineRun.started(
            graph("{id: a, set: {t: [1]}}", "{id: s, snapshot: {name: n, tags: '${{ steps.a.output.t }}'}}"))
        #expect(tags.state.error?.message == "snapshot.tags: expected a list of strings")
        let large = try EngineRun.started(
            "kind: Workflow\nname: w\ninputs: {n: {type: string}}\n"
                + "steps: [{id: s, snapshot: {name: n, description: '${{ inputs.n }}'}}]\n",
            inputs: ["n": .string(String(repeating: "x", count: 70_000))])
        #expect(large.state.error?.kind == .limit)
    }

    @Test("the file of a bookmark follows from the state")
    func projection() throws {
        let run = try EngineRun.started(graph("{id: s, snapshot: {name: n, tags: [t]}}"))
        let record = try #require(run.state.snapshots["n"])
        let value = try JSON.parse(SnapshotProjection.bytes(record, run: run.state.id, workflow: "w"))
        #expect(
            value == [
                "format": 1, "name": "n", "description": .null, "tags": ["t"], "run": .string(EngineRun.id),
                "workflow": "w", "seq": 3, "at": .string(EngineRun.start.description), "step": "s", "by": .null,
            ])
    }
}

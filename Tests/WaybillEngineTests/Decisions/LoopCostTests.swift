import Testing
import WaybillCore
import WaybillEngine

/// What a step costs must not grow with those beside it. Counted, not timed.
@Suite("What loops and large plans cost")
struct LoopCostTests {
    private func loop(_ count: Int) throws -> EngineRun {
        let items = Value.list((0..<count).map { ["n": .int(Int64($0))] })
        return try EngineRun.started(
            """
            kind: Workflow
            name: w
            inputs: {list: {type: array}}
            steps:
              - {id: l, forEach: {items: '${{ inputs.list }}', maxParallel: 50}, set: {v: '${{ item.n }}'}}
              - {id: s, set: {last: '${{ steps.l.output[size(steps.l.output) - 1].v }}'}}
            """, inputs: ["list": items])
    }

    @Test("an item costs as many bytes and entries among 20,000 as among 1,000, and reads its list no more often")
    func items() throws {
        let few = try loop(1_000)
        let many = try loop(20_000)
        #expect(many.output("s") == ["last": 19_999])
        func bytes(_ run: EngineRun) -> [Int] {
            // Numbers of equal length make lines of equal length.
            run.entries(.taskEnd).filter { $0.step?.hasPrefix("l-") == true && $0.step?.utf8.count == 5 }
                .map { JSON.compact(.object($0.data)).count }
        }
        #expect(Set(bytes(few)) == Set(bytes(many)))
        #expect(few.entries.filter { $0.type != .checkpoint }.count == 2_000 + 6)
        #expect(many.entries.filter { $0.type != .checkpoint }.count == 40_000 + 6)
        #expect(many.state.frames.count == 1)
        // The inputs and the items are read once each, and the outputs.
        #expect(few.store.reads <= 4)
        #expect(many.store.reads <= few.store.reads + 4)
    }

    @Test("checkpoints of a long loop come to no more than a few times its ledger")
    func checkpoints() throws {
        let run = try loop(5_000)
        let written = run.checkpoints.reduce(0) { $0 + $1.bytes.count }
        #expect(written < 4 * run.lines.count)
    }
}

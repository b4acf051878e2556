import Synchronization
import WaybillCore
import WaybillEngine
import WaybillManifests

/// Whether it costs more to decide what comes next where much has been, or is still to come: the engine alone, without
/// disk and processes. Nothing in it waits, so that the processor's time is what it takes.
///
/// The figures are medians of single decisions: what a checkpoint costs now and then follows from the bytes of the ledger,
/// and is in the time per step of a growing run.
enum Decisions {
    /// One way for a run to be large.
    private struct Case: Sendable {
        var name: String
        /// A workflow of so many steps, visits or items.
        var manifest: @Sendable (Int) -> String
        var inputs: @Sendable (Int) -> Object = { _ in Object() }
    }

    private static let sizes = (small: 10, large: 10_000)
    /// Decisions that a sample is the median of, about.
    private static let decisions = 8_000

    private static let cases = [
        Case(name: "a graph of # steps, one after the other") { count in
            head + "steps:\n" + (0..<count).map { "  - {id: s\($0), run: [x]}\n" }.joined()
        },
        Case(name: "a graph of # steps, all at once") { count in
            head + "steps:\n" + (0..<count).map { "  - {id: s\($0), needs: [], run: [x]}\n" }.joined()
        },
        Case(
            name: "a machine of # visits",
            manifest: { _ in
                head + """
                    inputs: {visits: {type: integer}}
                    states:
                      s: {run: [x], maxVisits: 1000000, next: [{if: visit < inputs.visits, to: s}, {to: end}]}
                    """
            }, inputs: { ["visits": .int(Int64($0))] }),
        Case(
            name: "forEach over # items",
            manifest: { _ in
                head + """
                    inputs: {list: {type: array}}
                    steps:
                      - {id: s, forEach: {items: "${{ inputs.list }}", maxParallel: 2}, run: [x, "${{ item }}"]}
                    """
            }, inputs: { count in ["list": .list((0..<count).map { .int(Int64($0)) })] }),
    ]

    private static let head = "kind: Workflow\nname: w\n"

    static func measure(_ bench: Workbench) async throws -> [Figure] {
        let large = bench.isQuick ? 1_000 : sizes.large
        var figures: [Figure] = []
        for item in cases {
            let few = try definition(item.manifest(sizes.small))
            let many = try definition(item.manifest(large))
            var samples: [Double] = []
            var baseline: [Double] = []
            try await bench.rounds(7) {
                let wanted = bench.size(decisions)
                var small: [Double] = []
                while small.count < wanted { small += try run(few, item.inputs(sizes.small)) }
                baseline.append(Figure.percentile(50, of: small))
                samples.append(Figure.percentile(50, of: try run(many, item.inputs(large))))
            }
            let name = item.name.split(separator: "#", omittingEmptySubsequences: false)
                .joined(separator: Text.count(large))
            figures.append(
                Figure(
                    name: name, unit: "us", samples: samples,
                    baseline: .init(name: "us, the same of \(sizes.small)", samples: baseline)))
        }
        return figures
    }

    private static func definition(_ manifest: String) throws -> RunDefinition {
        let file = SourceFile(path: "workflows/w.yaml", bytes: Array(manifest.utf8))
        let catalog = Catalog.load([file], exists: { _ in true })
        guard let workflow = catalog.workflows["w"] else {
            throw BenchmarkError(description: catalog.diagnostics.first?.text ?? "there is no workflow")
        }
        return RunDefinition(workflow: workflow, of: catalog, digest: .zero)
    }

    /// Runs to the end.
    ///
    /// - Returns: microseconds for what follows the end of each attempt but the last one: start and end of a run are no step.
    private static func run(_ definition: RunDefinition, _ inputs: Object) throws -> [Double] {
        let store = Store()
        var engine = RunEngine(
            definition: definition, state: RunState(definition: definition.workflow, genesis: definition.digest),
            payloads: store)
        var now = Timestamp(microseconds: 1_800_000_000_000_000)
        var open: [AttemptReference] = []
        func send(_ stimulus: Stimulus) throws {
            var next: Stimulus? = stimulus
            while let stimulus = next {
                let decision = try engine.handle(stimulus, at: Moment(now: now, boot: "boot"))
                store.put(decision.blobs)
                for case .launch(let attempt) in decision.effects { open.append(attempt.reference) }
                next = decision.hasMore ? .resume : nil
            }
        }
        try send(
            .start(
                RunStart(
                    id: "w-20260101T000000-abcdef", commit: nil, inputs: inputs, trigger: ["type": "manual"],
                    actor: .user, by: nil)))
        var costs: [Double] = []
        var position = 0
        while position < open.count {
            let reference = open[position]
            position += 1
            now = now + .microseconds(250)
            let before = Host.processorSeconds
            let result = AttemptResult(outcome: .exited(0), startedAt: now, endedAt: now)
            try send(.attemptEnded(reference, result))
            if !engine.state.phase.isEnded { costs.append((Host.processorSeconds - before) * 1e6) }
        }
        guard engine.state.phase.isEnded else { throw BenchmarkError(description: "the run did not end") }
        return costs
    }

    /// Large payloads in memory.
    private final class Store: PayloadSource {
        private let blobs = Mutex<[Digest: [UInt8]]>([:])

        func put(_ new: [Blob]) {
            guard !new.isEmpty else { return }
            blobs.withLock { blobs in for blob in new { blobs[blob.digest] = blob.bytes } }
        }

        func payload(_ digest: Digest) -> Value? {
            blobs.withLock { $0[digest] }.flatMap { try? JSON.parse($0) }
        }
    }
}

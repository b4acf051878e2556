import WaybillCore
import WaybillExpressions

/// A condition as it stands between the steps of a run: compiled once, evaluated again and again. Nothing in it waits, so
/// that the processor's time is what it takes.
enum Evaluation {
    private static let source = #"inputs.a.b[0] == "x" && size(steps) > 3"#
    private static let inputs: Value = ["a": ["b": ["x", "y"], "c": 1]]
    private static let steps: Value = [
        "build": ["status": "completed"], "stage": ["status": "completed"], "approve": ["status": "completed"],
        "publish": ["status": "running"], "announce": ["status": "pending"],
    ]

    static func measure(_ bench: Workbench) async throws -> [Figure] {
        let shape = TypeShape.dyn
        let condition = try Expression.condition(
            source, places: .unknown, declarations: Declarations(["inputs": shape, "steps": shape]))
        let scope = Variables(["inputs": CELValue(inputs), "steps": CELValue(steps)])
        let count = bench.size(100_000)
        var samples: [Double] = []
        var plain: [Double] = []
        var truths = 0
        for _ in 0..<(bench.isQuick ? 3 : 21) {
            let before = Host.processorSeconds
            for _ in 0..<count { truths += try condition.condition(in: scope) ? 1 : 0 }
            let between = Host.processorSeconds
            samples.append((between - before) * 1e9 / Double(count))
            for _ in 0..<count { truths += written(inputs, steps) ? 1 : 0 }
            plain.append((Host.processorSeconds - between) * 1e9 / Double(count))
        }
        guard truths == 2 * count * samples.count else { throw BenchmarkError(description: "the condition is false") }
        return [
            Figure(
                name: source, unit: "ns", samples: samples,
                baseline: .init(name: "ns, the same written in Swift over the same values", samples: plain))
        ]
    }

    /// Not inlined: what never changes would be computed once.
    @inline(never)
    private static func written(_ inputs: Value, _ steps: Value) -> Bool {
        let first = inputs.objectValue?["a"]?.objectValue?["b"]?.listValue?.first
        return first?.stringValue == "x" && (steps.objectValue?.count ?? 0) > 3
    }
}

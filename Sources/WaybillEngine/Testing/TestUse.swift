import WaybillCore
import WaybillManifests

/// What a run took of all that its case gives. What nobody took is a mistake of the case: the step it is for never came
/// up, or not as often as the case's author thinks.
struct TestUse {
    /// Where the stubs stand that served an attempt.
    private(set) var stubs: Set<SourcePlace> = []
    /// The answers of each key's list that were given.
    private var answers: [String: Set<Int>] = [:]
    /// The keys of answers that were given as they stand.
    private var wholeAnswers: Set<String> = []

    mutating func take(_ stub: TestStub) { stubs.insert(stub.place) }

    /// - Parameter number: the answer's place in its list; nil where it was given as it stands.
    mutating func takeAnswer(_ key: String, number: Int?) {
        if let number { answers[key, default: []].insert(number) } else { wholeAnswers.insert(key) }
    }

    /// The answers that nothing asked for.
    func unaskedAnswers(of test: TestCase) -> [TestReport.Miss] {
        test.answers.flatMap { key, value -> [TestReport.Miss] in
            guard !wholeAnswers.contains(key) else { return [] }
            let given = answers[key] ?? []
            let unasked = (0..<(value.listValue?.count ?? 1)).filter { !given.contains($0) }
            return Self.misses("answers.\(key)", unasked, isWhole: given.isEmpty, expected: "a question")
        }
    }

    /// The stubs that stand at none of the places that were taken.
    static func untakenStubs(of test: TestCase, taken: Set<SourcePlace>) -> [TestReport.Miss] {
        test.stubs.sorted { $0.key < $1.key }.flatMap { key, stubs in
            let untaken = stubs.indices.filter { !taken.contains(stubs[$0].place) }
            return misses(
                "stubs.\(key)", untaken, isWhole: untaken.count == stubs.count, expected: "an attempt that takes it")
        }
    }

    private static func misses(
        _ subject: String, _ indices: [Int], isWhole: Bool, expected: String
    ) -> [TestReport.Miss] {
        guard !indices.isEmpty else { return [] }
        let subjects = isWhole ? [subject] : indices.map { "\(subject)[\($0)]" }
        return subjects.map { TestReport.Miss(subject: $0, expected: expected, actual: "none") }
    }
}

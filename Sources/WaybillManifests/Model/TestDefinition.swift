package import WaybillCore

/// `kind: Test`: cases that run a workflow on the pure engine, without processes (contract, Appendix A).
package struct TestDefinition: Sendable {
    package var name: String
    package var place: SourcePlace
    package var sourcePath: String
    package var workflow: String
    package var cases: [TestCase] = []

    package init(name: String, place: SourcePlace, sourcePath: String, workflow: String) {
        self.name = name
        self.place = place
        self.sourcePath = sourcePath
        self.workflow = workflow
    }
}

/// One case. Values are literal.
package struct TestCase: Sendable {
    package var name: String
    package var place: SourcePlace
    package var inputs = Object()
    /// By address: what each attempt comes to, in order; the last one serves all further ones.
    package var stubs: [String: [TestStub]] = [:]
    /// By wait key: the answer given as soon as the wait opens. A list answers its visits in order.
    package var answers: [(key: String, value: Value)] = []
    /// Events `{type, data, ...}` that arrive, in order, once nothing else goes on.
    package var events: [Value] = []
    /// How far the clock moves once nothing else goes on; nil: not at all.
    package var advance: Duration?
    package var expect = TestExpectation()

    package init(name: String, place: SourcePlace) {
        self.name = name
        self.place = place
    }
}

/// What an attempt of a stubbed step comes to. A step without a stub completes with exit code 0 and, where it has an
/// `output`, fails: a test says what its steps give.
package struct TestStub: Sendable {
    package var place: SourcePlace
    package var exitCode: Int?
    package var signal: Int?
    /// An error's kind and message, for what has no exit code.
    package var error: (kind: String, message: String)?
    package var output: Value?
    /// Of an `http` step.
    package var status: Int?
    package var headers = Object()
    package var artifacts: [String] = []
    /// How long the attempt takes.
    package var takes: Duration?
    /// Whether the attempt's outcome is unknown.
    package var isLost = false

    package init(place: SourcePlace) { self.place = place }
}

/// What a case must come to; members that are absent are not looked at.
package struct TestExpectation: Sendable {
    package var place: SourcePlace?
    package var status: String?
    package var outputs: Value?
    package var error: Value?
    /// By address: a status, or a map of the members of `steps.<id>` to compare.
    package var steps: [(address: String, value: Value)] = []
    /// Entries that must occur in this order, others between them allowed: a type, or a map with `type` and members of
    /// the entry (`step visit attempt data` compared by what they name).
    package var ledger: [Value] = []
    /// Keys of waits that are open at the end.
    package var waiting: [String]?

    package init() {}
}

package import WaybillCore

/// What became of one case of a `kind: Test`.
package struct TestReport: Sendable {
    /// An expectation that was not met.
    package struct Miss: Sendable, Hashable {
        /// What was looked at: `status`, `steps.stage`, `ledger[2]`.
        package var subject: String
        package var expected: String
        package var actual: String
    }

    package var test: String
    package var name: String
    package var place: SourcePlace
    package var misses: [Miss] = []
    /// Why the case could not be run to where its expectations are looked at; nil if it was.
    package var problem: String?
    /// What happened, a line for each entry of the ledger.
    package var story: [String] = []

    /// Where the stubs stand that served an attempt.
    var takenStubs: Set<SourcePlace> = []

    package var hasPassed: Bool { misses.isEmpty && problem == nil }
}

/// Counts what a suite finds and prints what fails.
final class Report {
    private(set) var passed = 0
    private(set) var failed = 0
    private(set) var skipped = 0

    func pass() { passed += 1 }

    /// Passes or fails by one comparison.
    func check(_ id: String, _ isRight: Bool, expected: @autoclosure () -> String, actual: @autoclosure () -> String) {
        if isRight { pass() } else { fail(id, expected: expected(), actual: actual()) }
    }

    func fail(_ id: String, expected: String, actual: String) {
        failed += 1
        print("\(id): expected \(expected), got \(actual)")
    }

    /// For what a case requires and is not offered here.
    func skip() { skipped += 1 }

    /// For a suite that prints and counts by itself.
    func add(_ counts: (passed: Int, failed: Int, skipped: Int)) {
        passed += counts.passed
        failed += counts.failed
        skipped += counts.skipped
    }

    var summary: String { "\(passed) passed, \(failed) failed, \(skipped) skipped" }
}

import WaybillCore
import WaybillManifests

// What a run wants of the sub-runs it waits for: a function of its state, so that whoever takes the run up after a crash
// says it again. Saying it twice must not harm: see `RunEngine.obey`.

/// What a run tells a sub-run.
package enum ChildOrder: String, Sendable, Hashable {
    /// To go on, if it was the parent that paused it.
    case resume
    case pause
    /// To end, undoing what it did.
    case cancel
    /// To end at once.
    case abort
}

extension RunState {
    /// What this run wants of the sub-runs of its open waits; nil where they are left alone.
    package var childOrder: ChildOrder? {
        if isAborted { return .abort }
        if phase.isEnded { return nil }
        if ending != nil, stage == .main { return isHeld ? .pause : isHoldDue ? nil : .cancel }
        if ending == nil, phase == .paused || isPauseRequested {
            return definition.onPause == .rollback && stage == .main ? nil : .pause
        }
        return phase == .running ? .resume : nil
    }

    /// Whether a failure is about to hold the run rather than to end it.
    private var isHoldDue: Bool { ending == .failure && definition.failure == .hold }

    /// The sub-runs that are waited for, with their waits' keys, in order.
    package var awaitedRuns: [(key: String, run: String)] {
        waits.values.filter { $0.reason == .subworkflow }.sorted { $0.key.precedesInCodePoints($1.key) }
            .compactMap { wait in wait.run.map { (wait.key, $0) } }
    }

    /// How many runs are above this one.
    var depth: Int { Int(parent["depth"]?.intValue ?? 0) }

    /// The run that called this one; nil for a root run.
    package var parentRun: String? { parent["run"]?.stringValue }
}

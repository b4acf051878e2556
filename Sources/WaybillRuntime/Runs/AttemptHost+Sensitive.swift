import SystemPackage
import WaybillEngine
import WaybillManifests
import WaybillPorts
import WaybillStore

// What a process left of a sensitive output stays until the ledger has it, and no longer.

extension AttemptHost {
    private static let note = "(kept in an artifact: the output of this step is sensitive)\n"
    private static let listLimit = 1_000_000

    /// Takes away the source of a sensitive output, once its outcome is recorded. What cannot be removed now is removed
    /// when the run is taken up the next time.
    func scrub(_ reference: AttemptReference) {
        guard let output = definition.workflow.step(at: reference.step)?.performed.output, output.isSensitive else {
            return
        }
        scrub(path(of: reference), output)
    }

    private func scrub(_ attempt: FilePath, _ output: OutputDefinition) {
        switch output.source {
        case .file: _ = try? folder.directory.remove(attempt.appending(Self.logs.output))
        case .stdout:
            let log = attempt.appending(Self.logs.stdout)
            guard (try? folder.directory.status(log)) != nil else { return }
            _ = try? folder.projectIfChanged(log, Array(Self.note.utf8))
        }
    }

    /// The same for attempts whose outcome was recorded by a process that was ended before it came to this.
    func scrubLeftovers(of state: RunState) {
        guard !definition.workflow.sensitiveSteps.isEmpty else { return }
        let outstanding = Set(state.outstandingAttempts.map { path(of: $0.reference) })
        for step in (try? folder.directory.entries(RunFolder.steps, limit: Self.listLimit)) ?? [] {
            guard let output = definition.workflow.step(at: step.name.string)?.performed.output, output.isSensitive
            else { continue }
            let place = RunFolder.steps.appending(step.name)
            for attempt in (try? folder.directory.entries(place, limit: Self.listLimit)) ?? [] {
                let path = place.appending(attempt.name)
                if !outstanding.contains(path) { scrub(path, output) }
            }
        }
    }
}

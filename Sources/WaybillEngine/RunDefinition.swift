package import WaybillCore
package import WaybillExpressions
package import WaybillManifests

/// Everything a run was started with, from its frozen sources.
package struct RunDefinition: Sendable {
    package var workflow: WorkflowDefinition
    /// Those that match the workflow, in order of their names.
    package var policies: [PolicyDefinition]
    package var settings: SettingsDefinition
    /// The time zones that expressions and cron waits may name.
    package var zones: any TimeZoneSource = UniversalTime()
    /// The SHA-256 of `definition/index.json`.
    package var digest: Digest
    /// The workflows that it may come to call, by name, from the same sources; itself among them.
    package var workflows: [String: WorkflowDefinition] = [:]

    package init(
        workflow: WorkflowDefinition, policies: [PolicyDefinition], settings: SettingsDefinition, digest: Digest
    ) {
        self.workflow = workflow
        self.policies =
            policies
            .filter { $0.match.matches(workflow: workflow.name, labels: workflow.labels) }
            .sorted { $0.name.precedesInCodePoints($1.name) }
        self.settings = settings
        self.digest = digest
    }
}

package import WaybillCore
package import WaybillExpressions
package import WaybillManifests

/// Everything a run was started with, from its frozen sources.
package struct RunDefinition: Sendable {
    package var workflow: WorkflowDefinition
    /// Those that match the workflow, in order of their names.
    package var policies: [PolicyDefinition]
    /// All that were frozen with the run, in order of their names: also those of the workflows that it may call.
    package var frozenPolicies: [PolicyDefinition]
    package var settings: SettingsDefinition
    /// The time zones that expressions and cron waits may name.
    package var zones: any TimeZoneSource
    /// The SHA-256 of `definition/index.json`.
    package var digest: Digest
    /// The workflows that it may come to call, by name, from the same sources; itself among them.
    package var workflows: [String: WorkflowDefinition]

    /// What a catalog makes of one of its workflows: with the policies that match it, the settings, and all it may call.
    package init(
        workflow: WorkflowDefinition, of catalog: Catalog, digest: Digest, zones: any TimeZoneSource = UniversalTime()
    ) {
        self.workflow = workflow
        frozenPolicies = catalog.policies
        policies = frozenPolicies.filter { $0.match.matches(workflow: workflow.name, labels: workflow.labels) }
        settings = catalog.settings
        workflows = catalog.closure(of: workflow)
        self.digest = digest
        self.zones = zones
    }
}

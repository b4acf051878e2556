import WaybillCore

/// What the readers of one workflow share.
struct ReadingContext {
    let report: Report
    let values: ValueReader
    let variables: [VariableDefinition]
    /// The folder of the manifest's file, which relative programs stand in.
    let folder: String
    /// Whether a file stands at a path relative to the tree's root.
    let exists: (String) -> Bool
    /// What a reference resolves to; nil where there is no such capability.
    let capability: (CapabilityReference) -> CapabilityDefinition?
    /// The names of a workflow's outputs; nil where nobody knows them.
    let outputs: (String) -> [String]?

    init(
        report: Report, variables: [VariableDefinition] = [], exists: @escaping (String) -> Bool,
        capability: @escaping (CapabilityReference) -> CapabilityDefinition?,
        outputs: @escaping (String) -> [String]? = { _ in nil }
    ) {
        self.outputs = outputs
        self.report = report
        self.variables = variables
        self.exists = exists
        self.capability = capability
        values = ValueReader(report: report)
        folder = Paths.folder(of: report.path)
    }
}

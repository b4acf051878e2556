import WaybillCore

/// Makes a declaration of a `kind: Run` whose shape was checked.
struct RunDeclarationReader {
    let report: Report
    let fields: Fields

    /// Nil where it has no name or workflow.
    func read() -> RunDeclaration? {
        guard let name = fields.text("name"), let workflow = fields.text("workflow") else { return nil }
        let mark = fields.node("name")?.mark ?? fields.mark
        var run = RunDeclaration(
            name: name, place: report.place(mark), sourcePath: report.path, workflow: workflow)
        let values = ValueReader(report: report)
        run.inputs = values.object(fields.entries("inputs"))
        run.labels = values.object(fields.entries("labels"))
        run.notBefore = fields.text("notBefore").flatMap { Timestamp(rfc3339: $0) }
        run.generation = fields.integer("generation") ?? 1
        return run
    }
}

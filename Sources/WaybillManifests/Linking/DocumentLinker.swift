import WaybillCore

/// Compares the policies, tests and declared runs of a file with the workflows they name.
///
/// What is wrong here concerns one document: its file may well have been read without those it refers to, as from the
/// frozen sources of a run.
struct DocumentLinker {
    let reader: ManifestReader
    /// The keys that more than one document has.
    let ambiguous: Set<String>

    func link(_ catalog: inout Catalog) {
        for document in reader.documents {
            guard document.content != nil, let key = document.key, !ambiguous.contains(key), let name = document.name
            else { continue }
            let report = Report(path: reader.report.path, bytes: reader.report.bytes)
            switch document.content {
            case .policy: checkNames(of: document.fields, catalog, report)
            case .test:
                TestLinker(report: report, fields: document.fields).check(catalog)
                if report.hasErrors { catalog.tests.removeAll { $0.name == name } }
            case .run:
                check(document.fields, catalog, report)
                if report.hasErrors { catalog.declarations.removeAll { $0.name == name } }
            default: continue
            }
            catalog.diagnostics += report.diagnostics
        }
    }

    /// A policy that guards a name nobody has guards nothing.
    private func checkNames(of policy: Fields, _ catalog: Catalog, _ report: Report) {
        for node in PolicyReader.workflowNames(policy) {
            guard let name = node.text, catalog.workflows[name] == nil, !catalog.setAside.contains(name) else {
                continue
            }
            report.warning(
                .contract, "`names` has `\(name)`, and there is no such workflow", at: node.mark,
                hint: Suggestion.hint(for: name, among: catalog.workflowNames))
        }
    }

    private func check(_ run: Fields, _ catalog: Catalog, _ report: Report) {
        guard let workflow = report.workflow(named: run, of: catalog, "this run") else { return }
        InputCheck(taker: "the workflow `\(workflow.name)`", inputs: workflow.inputs)
            .check(run.node("inputs"), at: run.node("inputs")?.mark ?? run.mark, report)
        if !report.hasErrors {
            report.warning(
                .requirement, "this version does not start declared runs yet", at: run.node("kind")?.mark ?? run.mark,
                hint: "`waybill run \(workflow.name)` starts it")
        }
    }
}

extension Report {
    /// The workflow that the field of this name asks for; nil after reporting why there is none.
    ///
    /// - Parameter dependant: what cannot stand without it: "this test".
    func workflow(named fields: Fields, of catalog: Catalog, _ dependant: String) -> WorkflowDefinition? {
        guard let node = fields.node("workflow"), let name = node.text else { return nil }
        if let workflow = catalog.workflows[name] { return workflow }
        if catalog.setAside.contains(name) {
            error(
                "the workflow `\(name)` is set aside, and so is \(dependant)", at: node.mark,
                hint: "mend the workflow first")
        } else {
            error(
                "there is no workflow `\(name)`", at: node.mark,
                hint: Suggestion.hint(for: name, among: catalog.workflowNames))
        }
        return nil
    }
}

extension Catalog {
    /// Also of those that are set aside.
    var workflowNames: [String] { (Array(workflows.keys) + setAside).sorted() }
}

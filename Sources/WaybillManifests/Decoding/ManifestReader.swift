import WaybillCore

/// A document of a manifest file: what it claims to be, and what it says if its file is sound.
struct ManifestDocument {
    enum Content {
        case workflow(WorkflowDefinition)
        case policy(PolicyDefinition)
        case settings(SettingsDefinition)
    }
    enum Kind: String, CaseIterable {
        case workflow = "Workflow"
        case policy = "Policy"
        case settings = "Settings"
    }

    let kind: Kind
    let name: String
    let place: SourcePlace
    var content: Content?

    /// What no second document may claim.
    var key: String { kind == .settings ? kind.rawValue : "\(kind.rawValue) \(name)" }
}

/// Reads the documents of one file.
struct ManifestReader {
    private static let laterKinds = ["Capability", "Run", "Test"]

    private let report: Report
    private let exists: (String) -> Bool

    init(file: SourceFile, exists: @escaping (String) -> Bool) {
        report = Report(path: file.path, bytes: file.bytes)
        self.exists = exists
    }

    var diagnostics: [Diagnostic] { report.diagnostics }

    /// The documents; without content if anything in the file is wrong.
    func read() -> [ManifestDocument] {
        let stream = YAML.documents(report.bytes)
        report.add(stream.problems.map { $0.diagnostic(in: report.path) })
        var documents = stream.documents.compactMap(read)
        if report.hasErrors {
            for index in documents.indices { documents[index].content = nil }
        }
        return documents
    }

    private func read(_ node: YAMLNode) -> ManifestDocument? {
        guard let fields = Fields(node) else {
            // An empty document, as between two `---`, says nothing and asks for nothing.
            if node.scalar?.value.isNull == true { return nil }
            report.error(
                "a manifest is a map with `kind` and `name`, got \(Phrase.article(node.kindName))", at: node.mark)
            return nil
        }
        guard let kind = kind(fields) else { return nil }
        let checker = ShapeChecker(report: report)
        let content: ManifestDocument.Content?
        switch kind {
        case .workflow:
            checker.check(node, .fields(Grammar.workflow), subject: "the manifest")
            content = WorkflowReader(report: report, fields: fields, exists: exists).read().map { .workflow($0) }
        case .policy:
            checker.check(node, .fields(Grammar.policy), subject: "the manifest")
            content = PolicyReader(report: report, fields: fields).read().map { .policy($0) }
        case .settings:
            checker.check(node, .fields(Grammar.settings), subject: "the manifest")
            content = .settings(SettingsReader(report: report, fields: fields).read())
        }
        let name = fields.text("name") ?? "default"
        let mark = fields.node("name")?.mark ?? fields.mark
        // A document without a name is reported already and claims none.
        guard kind == .settings || fields.text("name") != nil else { return nil }
        return ManifestDocument(kind: kind, name: name, place: report.place(mark), content: content)
    }

    private func kind(_ fields: Fields) -> ManifestDocument.Kind? {
        let words = ManifestDocument.Kind.allCases.map(\.rawValue)
        guard let member = fields.member("kind") else {
            report.error(
                "a manifest needs `kind`", at: fields.mark, hint: "give it one of \(Phrase.alternatives(words))")
            return nil
        }
        let text = member.node.text ?? ""
        if let kind = ManifestDocument.Kind(rawValue: text) { return kind }
        if Self.laterKinds.contains(text) {
            report.error("`kind: \(text)` is not carried out by this version yet", at: member.node.mark)
        } else {
            let got = member.node.text.map(Phrase.quoted) ?? Phrase.article(member.node.kindName)
            report.error(
                "`kind` expects \(Phrase.alternatives(words)), got \(got)", at: member.node.mark,
                hint: Suggestion.hint(for: text, among: words))
        }
        return nil
    }
}

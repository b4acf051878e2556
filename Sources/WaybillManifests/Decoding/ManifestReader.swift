import WaybillCore

/// A document of a manifest file: what it claims to be, and what it says if its file is sound.
struct ManifestDocument {
    /// Apart, because definitions are large and documents are passed on a lot.
    indirect enum Content {
        case workflow(WorkflowDefinition)
        case policy(PolicyDefinition)
        case capability(CapabilityDefinition)
        case run(RunDeclaration)
        case settings(SettingsDefinition)
        case test(TestDefinition)
    }
    enum Kind: String, CaseIterable {
        case workflow = "Workflow"
        case policy = "Policy"
        case capability = "Capability"
        case run = "Run"
        case settings = "Settings"
        case test = "Test"

        var table: FieldTable {
            switch self {
            case .workflow: Grammar.workflow
            case .policy: Grammar.policy
            case .capability: Grammar.capability
            case .run: Grammar.declaredRun
            case .settings: Grammar.settings
            case .test: Grammar.test
            }
        }
    }

    let kind: Kind
    private(set) var fields: Fields
    /// The names of the outputs that a workflow says it has.
    let outputs: [String]
    /// Nil where it is missing: that is reported already, and the document claims none.
    let name: String?
    /// Of a capability.
    let version: SemanticVersion?
    let place: SourcePlace
    var content: Content?

    /// Lets go of the text, which is much larger than what was read of it, unless comparing documents takes it.
    mutating func forgetSource() {
        switch kind {
        case .workflow, .capability, .settings: fields = Fields(mark: fields.mark)
        case .policy, .run, .test: break
        }
    }

    /// What no second document may claim; nil: it claims nothing.
    var key: String? {
        switch kind {
        case .settings: kind.rawValue
        case .capability: name.flatMap { name in version.map { "Capability \(name)@\($0)" } }
        default: name.map { "\(kind.rawValue) \($0)" }
        }
    }

    /// The key without its kind, for messages.
    var claim: String {
        let name = name ?? ""
        return version.map { "\(name)@\($0)" } ?? name
    }
}

/// Reads the documents of one file, one kind after the other: what a kind refers to is read before it.
struct ManifestReader: Sendable {
    let report: Report
    private(set) var documents: [ManifestDocument] = []
    private let exists: @Sendable (String) -> Bool

    /// Finds out what there is, and compares it with the shapes of its kinds.
    init(file: SourceFile, exists: @escaping @Sendable (String) -> Bool) {
        report = Report(path: file.path, bytes: file.bytes)
        self.exists = exists
        let stream = YAML.documents(report.bytes)
        report.add(stream.problems.map { $0.diagnostic(in: report.path) })
        documents = stream.documents.compactMap(document)
    }

    /// Reads the documents of a kind.
    ///
    /// - Parameters:
    ///   - capability: what a reference resolves to.
    ///   - outputs: the names of the outputs that a workflow has.
    mutating func read(
        _ kinds: Set<ManifestDocument.Kind>, capability: @escaping (CapabilityReference) -> CapabilityDefinition?,
        outputs: @escaping (String) -> [String]? = { _ in nil }
    ) {
        for index in documents.indices where kinds.contains(documents[index].kind) {
            documents[index].content = content(documents[index], capability, outputs)
        }
    }

    private func content(
        _ document: ManifestDocument, _ capability: @escaping (CapabilityReference) -> CapabilityDefinition?,
        _ outputs: @escaping (String) -> [String]?
    ) -> ManifestDocument.Content? {
        let fields = document.fields
        switch document.kind {
        case .workflow:
            return WorkflowReader(
                report: report, fields: fields, exists: exists, capability: capability, outputs: outputs
            ).read().map { .workflow($0) }
        case .policy: return PolicyReader(report: report, fields: fields).read().map { .policy($0) }
        case .capability:
            return CapabilityReader(report: report, fields: fields, exists: exists).read().map { .capability($0) }
        case .run: return RunDeclarationReader(report: report, fields: fields).read().map { .run($0) }
        case .settings: return .settings(SettingsReader(report: report, fields: fields).read())
        case .test: return TestReader(report: report, fields: fields).read().map { .test($0) }
        }
    }

    /// If anything in the file is wrong, none of its documents counts.
    mutating func setAsideIfWrong() {
        guard report.hasErrors else { return }
        for index in documents.indices { documents[index].content = nil }
    }

    /// Lets go of what only reading takes.
    mutating func forgetSources() {
        for index in documents.indices { documents[index].forgetSource() }
    }

    private func document(_ node: YAMLNode) -> ManifestDocument? {
        guard let fields = Fields(node) else {
            // An empty document, as between two `---`, says nothing and asks for nothing.
            if node.scalar?.value.isNull == true { return nil }
            report.error(
                "a manifest is a map with `kind` and `name`, got \(Phrase.article(node.kindName))", at: node.mark)
            return nil
        }
        guard let kind = kind(fields) else { return nil }
        ShapeChecker(report: report).check(node, .fields(kind.table), subject: "the manifest")
        let mark = fields.node("name")?.mark ?? fields.mark
        let version = kind == .capability ? fields.text("version").flatMap { try? SemanticVersion($0) } : nil
        return ManifestDocument(
            kind: kind, fields: fields, outputs: kind == .workflow ? fields.entries("outputs").map(\.key) : [],
            name: fields.text("name"), version: version, place: report.place(mark))
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
        let got = member.node.text.map(Phrase.quoted) ?? Phrase.article(member.node.kindName)
        report.error(
            "`kind` expects \(Phrase.alternatives(words)), got \(got)", at: member.node.mark,
            hint: Suggestion.hint(for: text, among: words))
        return nil
    }
}

import WaybillCore

/// Makes settings of a `kind: Settings` whose shape was checked.
struct SettingsReader {
    let report: Report
    let fields: Fields

    func read() -> SettingsDefinition {
        var settings = SettingsDefinition()
        settings.place = report.place(fields.mark)
        if let concurrency = fields.fields("concurrency") {
            settings.concurrentRuns = concurrency.integer("runs") ?? settings.concurrentRuns
            settings.concurrentSteps = concurrency.integer("steps") ?? settings.concurrentSteps
        }
        for member in fields.entries("env") {
            guard let scalar = member.node.scalar, !scalar.value.isNull else { continue }
            if scalar.text.holdsTemplate {
                report.error("`\(member.key)` takes no `${{ }}`", at: member.node.mark, hint: "write the value itself")
            }
            settings.environment.append((member.key, scalar.text))
        }
        for member in fields.entries("pools") {
            settings.pools[member.key] = member.node.scalar?.value.intValue.map { Int($0) }
        }
        if let keys = fields.fields("keys") {
            settings.signingKey = keys.text("sign")
            settings.trustedKeys = keys.texts("trust")
        }
        settings.accessGroup = fields.fields("access")?.text("group")
        if let rule = fields.fields("control").flatMap({ AnswererReader(report: report).rule(in: $0) }) {
            settings.control = rule == AnswererRule() ? .none : rule
        }
        settings.signers = fields.text("signers")
        settings.sandbox = fields.word("sandbox") ?? settings.sandbox
        for member in fields.entries("secrets") {
            guard let source = Fields(member.node).flatMap(secret) else { continue }
            settings.secrets[member.key] = source
        }
        return settings
    }

    private func secret(_ fields: Fields) -> SecretSource? {
        if let node = fields.node("file"), let path = node.text {
            if path.isEmpty { report.error("`file` is empty", at: node.mark) }
            return .file(path)
        }
        if let name = fields.text("env") { return .environment(name) }
        if let node = fields.node("credential"), let name = node.text {
            if name.isEmpty || name.hasPrefix(".") || name.contains("/") {
                report.error(
                    "`credential` expects the name of a file in CREDENTIALS_DIRECTORY, got \(Phrase.quoted(name))",
                    at: node.mark, hint: "give another place as `file`")
            }
            return .credential(name)
        }
        let words = fields.texts("command")
        if let node = fields.list("command").first, words.first?.isEmpty == true {
            report.error("`command` has no program", at: node.mark)
        }
        return words.isEmpty ? nil : .command(words)
    }
}

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
        return settings
    }
}

import ArgumentParser
import WaybillCore
import WaybillEngine
import WaybillManifests
import WaybillRuntime

struct PolicyCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "policy", abstract: "Work with policies.", subcommands: [PolicyTestCommand.self])
}

struct PolicyTestCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "test", abstract: "Try the cases in the `tests` of policies on their rules.",
        discussion: """
            Each case puts its `given` to the rules of its point and compares the verdict: `deny` if any rule denies, else \
            `require` if any asks for an approval, else `allow`. `match` and `mode` play no part. Exits 1 if a case fails.
            """)

    @OptionGroup var options: GlobalOptions
    @Argument(help: "A policy; all of them if none is named.")
    var name: String?

    func run() throws {
        let catalog = try SourceTree(root: try options.tree().root).catalog
        let errors = catalog.diagnostics.filter { $0.level == .error }
        guard errors.isEmpty else {
            let report = DiagnosticReport(diagnostics: errors, summary: ValidateCommand.summary(catalog))
            options.console.output.write(Array(report.text(for: options.console.terminal).utf8))
            throw ExitStatus.usage.exit
        }
        let policies = try chosen(catalog)
        var failed = 0
        var results: [Value] = []
        var lines: [String] = []
        for policy in policies {
            for policyCase in policy.cases {
                let result = PolicyJudge.test(policyCase, of: policy)
                if !result.isExpected { failed += 1 }
                results.append(value(policyCase, policy, result))
                lines.append(line(policyCase, policy, result))
            }
        }
        let summary = "\(results.count - failed) passed, \(failed) failed"
        options.console.print(
            [
                "passed": .int(Int64(results.count - failed)), "failed": .int(Int64(failed)), "cases": .list(results),
            ], text: (lines + [summary]).joined(separator: "\n"))
        if failed > 0 { throw ExitStatus.failed.exit }
    }

    private func chosen(_ catalog: Catalog) throws -> [PolicyDefinition] {
        guard let name else { return catalog.policies }
        if let policy = catalog.policies.first(where: { $0.name == name }) { return [policy] }
        throw CommandError.usage(
            "there is no policy '\(name)'",
            hint: Suggestion.hint(for: name, among: catalog.policies.map(\.name))
                ?? "`waybill validate` says what is wrong with manifests that are set aside")
    }

    private func value(_ policyCase: PolicyCase, _ policy: PolicyDefinition, _ result: PolicyJudge.CaseResult) -> Value
    {
        var object: Object = [
            "policy": .string(policy.name), "case": .string(policyCase.name), "passed": .bool(result.isExpected),
            "expected": .string(policyCase.verdict), "verdict": .string(result.verdict),
            "rules": .list(result.rules.map(Value.string)), "place": .string(policyCase.place.description),
        ]
        object["message"] = result.message.map(Value.string)
        return .object(object)
    }

    private func line(_ policyCase: PolicyCase, _ policy: PolicyDefinition, _ result: PolicyJudge.CaseResult) -> String
    {
        let title = "\(policy.name): \(policyCase.name)"
        guard !result.isExpected else { return "ok    \(title)" }
        let expected = policyCase.verdict + (policyCase.rule.map { " by \($0)" } ?? "")
        let got = result.verdict + (result.rules.isEmpty ? "" : " by \(result.rules.joined(separator: ", "))")
        let why = result.message.map { " (\($0))" } ?? ""
        return "FAIL  \(title): expected \(expected), got \(got)\(why)\n      \(policyCase.place)"
    }
}

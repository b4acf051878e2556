import ArgumentParser
import WaybillCore
import WaybillManifests
import WaybillPorts
import WaybillProcesses
import WaybillRuntime
import WaybillStore

struct SecretsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "secrets", abstract: "Look at where secrets come from; never at what they are.",
        subcommands: [SecretsListCommand.self, SecretsCheckCommand.self])
}

struct SecretsListCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "List the secrets of the settings: their names, sources, and who uses them.",
        discussion: "With --json every line is one secret: {name, source, detail, usedBy}.")

    @OptionGroup var options: GlobalOptions

    func run() throws {
        let console = options.console
        var table = Table("NAME", "SOURCE", "WHERE", "USED BY")
        for secret in DeclaredSecret.all(in: try SourceTree(root: options.tree().root).catalog) {
            if console.isJSON {
                console.output.json(.object(secret.value))
                continue
            }
            table.add(
                .plain(secret.name), .plain(secret.source.kind), .plain(secret.source.detail),
                .faint(secret.users.joined(separator: ", ")))
        }
        guard !console.isJSON else { return }
        console.output.write(Array(table.text(for: console.terminal).utf8))
        if table.isEmpty { console.note("no secrets are declared; `secrets` of a `kind: Settings` names them") }
    }
}

struct SecretsCheckCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check", abstract: "Get each secret the way a step would, and say whether that works.",
        discussion: """
            Nothing of a secret is printed, not even its length. Variables and commands are those of this shell: a daemon \
            has an environment of its own. The status is `ok`, `missing`, `too-open`, `unusable` or `failed`; exits 1 if \
            one is not ok.
            """)

    @OptionGroup var options: GlobalOptions
    @Argument(help: "Only these secrets.")
    var names: [String] = []

    func run() throws {
        let tree = try options.tree()
        let console = options.console
        let reader = LocalSecretReader(root: tree.layout.root)
        var hasFailed = false
        for secret in try chosen(DeclaredSecret.all(in: SourceTree(root: tree.root).catalog)) {
            let (status, message) = Self.status(of: secret.source, reader)
            hasFailed = hasFailed || message != nil
            var value = secret.value
            value["status"] = .string(status)
            value["message"] = message.map(Value.string) ?? .null
            let word = status.padding(to: 8)
            console.print(.object(value), text: "\(word)  \(secret.name)\(message.map { ": \($0)" } ?? "")")
        }
        if hasFailed { throw ExitStatus.failed.exit }
    }

    private static func status(of source: SecretSource, _ reader: LocalSecretReader) -> (String, String?) {
        do throws(SecretError) {
            _ = try reader.read(source)
            return ("ok", nil)
        } catch {
            return (error.code.rawValue, error.message)
        }
    }

    private func chosen(_ all: [DeclaredSecret]) throws -> [DeclaredSecret] {
        for name in names where !all.contains(where: { $0.name == name }) {
            throw CommandError.usage(
                "the settings have no secret '\(name)'", hint: Suggestion.hint(for: name, among: all.map(\.name)))
        }
        return names.isEmpty ? all : all.filter { names.contains($0.name) }
    }
}

/// A secret that the settings name.
private struct DeclaredSecret {
    var name: String
    var source: SecretSource
    /// `workflow.step`, sorted.
    var users: [String]

    var value: Object {
        [
            "name": .string(name), "source": .string(source.kind), "detail": .string(source.detail),
            "usedBy": .list(users.map(Value.string)),
        ]
    }

    static func all(in catalog: Catalog) -> [DeclaredSecret] {
        var users: [String: Set<String>] = [:]
        for workflow in catalog.workflows.values {
            workflow.visitSteps { visit in
                for name in visit.step.neededSecrets {
                    users[name, default: []].insert("\(workflow.name).\(visit.path)")
                }
            }
        }
        return catalog.settings.secrets.map { name, source in
            DeclaredSecret(name: name, source: source, users: users[name, default: []].sorted())
        }.sorted { $0.name < $1.name }
    }
}

extension String {
    fileprivate func padding(to width: Int) -> String {
        self + String(repeating: " ", count: max(0, width - utf8.count))
    }
}

import Testing
import WaybillCore
import WaybillManifests

@Suite("Secrets in manifests")
struct SecretTests {
    private static let settings = """
        kind: Settings
        secrets:
          forge: {file: /etc/forge}
          token: {env: FORGE_TOKEN}
          mail: {credential: mail}
          vault: {command: [vault, read, "-field=key", secret/x]}

        """

    @Test("settings say where secrets are")
    func sources() {
        let catalog = load(["workflows/s.yaml": Self.settings])
        #expect(catalog.diagnostics == [])
        #expect(
            catalog.settings.secrets == [
                "forge": .file("/etc/forge"), "token": .environment("FORGE_TOKEN"), "mail": .credential("mail"),
                "vault": .command(["vault", "read", "-field=key", "secret/x"]),
            ])
    }

    @Test(
        "a source with a mistake gets one diagnostic",
        arguments: [
            (
                "a: {}",
                "2:14 a secret needs a source (give it one of `file`, `env`, `credential` or `command`)"
            ),
            (
                "a: {file: x, env: Y}",
                "2:24 a secret has one source, and `env` stands beside `file` (keep one of the two)"
            ),
            ("a: {file: ''}", "2:21 `file` is empty"),
            (
                "a: {env: WAYBILL_X}",
                "2:20 `env` expects the name of an environment variable, not one of Waybill's own, got `WAYBILL_X`"
            ),
            (
                "a: {credential: ../x}",
                "2:27 `credential` expects the name of a file in CREDENTIALS_DIRECTORY, got `../x` (give another place as `file`)"
            ),
            ("a: {command: []}", "2:24 `command` is empty (it needs at least 1 of its entries)"),
            ("a: {file: '${{ x }}'}", "2:21 `file` takes no `${{ }}` (write the value itself)"),
        ])
    func sourceMistakes(entry: String, expected: String) {
        #expect(diagnose("kind: Settings\nsecrets: {\(entry)}\n") == [expected])
    }

    private func workflow(_ steps: String...) -> String {
        Self.settings + "---\nkind: Workflow\nname: w\nsteps:\n" + steps.map { "  - \($0)\n" }.joined()
    }

    @Test("processes get secrets by variable and name, wherever a process may stand")
    func bindings() throws {
        let catalog = load([
            "workflows/w.yaml": workflow(
                "{id: a, run: [make], secrets: {A: forge, B: token}, compensate: {run: [undo], secrets: {C: mail}}, onUnknown: {check: {run: [look], secrets: {D: vault}}}}",
                "{id: b, forEach: [1], run: [make], secrets: {E: forge}}",
                "{id: c, wait: {job: {handle: h, every: 1s, poll: {run: [look]}}}, secrets: {F: token}}",
                "{id: d, uses: pay@1}",
                "{id: e, run: [make], secrets: {F: {name: token, as: descriptor}}}",
                "{id: f, http: {method: POST, url: 'http://h/', query: {k: {secret: forge}}, json: {a: [1, {b: {secret: mail, prefix: x}}]}}}",
                "{id: g, http: {method: POST, url: 'http://h/', form: {a: 1, k: {secret: vault}}}}",
                "{id: h, http: {method: POST, url: 'http://h/', text: {secret: token, prefix: 'k='}}}",
                "{id: i, http: {method: POST, url: 'http://h/', json: {secret: forge, answer: 1}}}")
                + "---\nkind: Capability\nname: pay\nversion: 1.0.0\nrun: [pay]\nsecrets: {G: mail}\n"
        ])
        #expect(catalog.diagnostics == [])
        var found: [String] = []
        try #require(catalog.workflows["w"]).visitSteps { visit in
            found.append("\(visit.path) \(visit.role): \(visit.step.neededSecrets.joined(separator: " "))")
        }
        #expect(
            found == [
                "a step: forge token", "a compensation: mail", "a check: vault", "b step: ", "b-* item: forge",
                "c step: ", "c poll: token", "d step: mail", "e step: token",
                "f step: forge mail", "g step: vault", "h step: token", "i step: ",
            ])
        #expect(
            catalog.workflows["w"]?.plan.steps[4].secrets
                == [SecretBinding(variable: "F", name: "token", isDescriptor: true)])
    }

    @Test("a secret that no settings declare sets the workflow aside")
    func unknown() {
        let catalog = load([
            "workflows/w.yaml": workflow(
                "{id: a, run: [make], secrets: {A: forg}}",
                "{id: b, http: {url: \"http://h/\", auth: {bearer: {secret: other}}}}")
        ])
        #expect(
            catalog.diagnostics.map { "\($0.message) (\($0.hint ?? ""))" } == [
                "the step `a` needs the secret `forg`, which no `kind: Settings` declares (did you mean 'forge'?)",
                "the step `b` needs the secret `other`, which no `kind: Settings` declares (add `secrets: {other: {file: ...}}` to the settings)",
            ])
        #expect(catalog.setAside == ["w"])
    }

    @Test(
        "what would put a secret into a ledger, or means nothing, is refused",
        arguments: [
            (
                "{id: a, run: [make], env: {A: x}, secrets: {A: forge}}",
                "`A` stands in `env` and in `secrets` (keep one of the two)"
            ),
            (
                "{id: a, run: [make], secrets: {A: '${{ x }}'}}",
                "`A` takes no `${{ }}` (write the value itself)"
            ),
            (
                "{id: a, run: [make], secrets: {A: {name: forge, as: descripter}}}",
                "`as` expects `environment` or `descriptor`, got `descripter` (did you mean 'descriptor'?)"
            ),
            (
                "{id: a, run: [make], secrets: {A: {as: descriptor}}}",
                "a secret needs `name` (expected a name of lower-case letters, digits and dashes that begins with a letter)"
            ),
            (
                "{id: a, run: [make], secrets: {A: {name: forge, as: descriptor, mode: 7}}}",
                "a secret has no field `mode` (it may have `name` and `as`)"
            ),
            (
                "{id: a, run: [make], secrets: {A: {name: forg, as: descriptor}}}",
                "the step `a` needs the secret `forg`, which no `kind: Settings` declares (did you mean 'forge'?)"
            ),
            (
                "{id: a, set: {x: 1}, secrets: {A: forge}}",
                "`secrets` means nothing for `set` (it belongs to `run` or `wait`)"
            ),
            (
                "{id: a, wait: {for: 1s}, secrets: {A: forge}}",
                "`secrets` means nothing for a wait for the clock (it belongs to `run`, or to a `job`)"
            ),
            (
                "{id: a, http: {url: 'http://h/', auth: {bearer: t0ken}}}",
                "`bearer` expects a map with `secret`, got a string"
            ),
            (
                "{id: a, http: {url: 'http://h/', query: {k: {secret: forge, suffix: x}}}}",
                "a secret has no field `suffix` (it may have `secret` and `prefix`)"
            ),
            (
                "{id: a, http: {url: 'http://h/', method: POST, json: {a: {secret: a b}}}}",
                "`secret` expects a name of lower-case letters, digits and dashes that begins with a letter, got `a b` (write `a-b`)"
            ),
            (
                "{id: a, http: {url: 'http://h/', method: POST, json: {a: {secret: '${{ inputs.x }}'}}}}",
                "a map of `secret` alone stands for a secret of the settings, and takes no `${{ }}` (for JSON that looks so, build the map in one expression: `${{ {'secret': ...} }}`)"
            ),
            (
                "{id: a, http: {url: 'http://h/', method: POST, json: {a: {secret: forg}}}}",
                "the step `a` needs the secret `forg`, which no `kind: Settings` declares (did you mean 'forge'?)"
            ),
            (
                "{id: a, http: {url: 'http://h/', headers: {authorization: x}}}",
                "the header `authorization` would stand in the run's ledger (use `auth`, or `authorization: {prefix: \"Bearer \", secret: name}`)"
            ),
        ])
    func stepMistakes(step: String, expected: String) {
        let catalog = load(["workflows/w.yaml": workflow(step)])
        let texts = catalog.diagnostics.map { $0.message + ($0.hint.map { " (\($0))" } ?? "") }
        #expect(texts == [expected])
    }
}

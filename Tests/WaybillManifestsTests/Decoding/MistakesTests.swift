import Testing
import WaybillCore
import WaybillManifests
import WaybillTestKit

@Suite("Mistakes of a tree")
struct MistakesTests {
    @Test("a file with ten mistakes gets ten diagnostics, each at its place")
    func tenMistakes() {
        let text = """
            kind: Workflow
            name: release
            inputs:
              version: {type: strin}
            steps:
              - id: build
                run: [make, dist]
                timeout: ten minutes
                output: {format: json, schema: {type: object, properties: {coverage: {type: number}}}}
                verify: [output.coverge >= 80.0]
              - id: build
                run: |
                  set -x
                  ./publish.sh "${{ inputs.version }}"
                retries: 3
              - id: approve
                needs: [biuld]
                ask: {prompt: "Ship ${{ input.version }}?", approval: true, from: {groups: [release]}}
              - {id: stop, if: "!steps.aprove.output.approve", fail: {message: refused}}
            """
        #expect(
            diagnose(text) == [
                "4:19 the JSON Schema is invalid: 'strin' is no type; did you mean 'string'?",
                "8:14 `timeout` expects a duration such as `90s`, `10m`, `1h30m` or `3d`, got `ten minutes`",
                "10:21 in the expression: there is no member 'coverge' (did you mean 'coverage'?)",
                "11:9 the id `build` is taken in line 6 (rename one of the two)",
                "14:21 `${{ }}` in a script would become shell code (pass the value by the environment: `env: {VERSION: \"${{ inputs.version }}\"}`, and write \"$VERSION\" in the script)",
                "15:5 a step has no field `retries`",
                "17:13 `needs` names the step `biuld`, which does not exist (did you mean 'build'?)",
                "18:29 in the expression: there is no 'input' here (did you mean 'inputs'?)",
                "19:28 in the expression: there is no member 'aprove' (did you mean 'approve'?)",
            ])
    }

    @Test("the mistakes of all files are reported together, in the order of the files")
    func manyFiles() {
        let catalog = load([
            "workflows/b.yaml": "kind: Workflow\nname: b\nsteps: []\n", "workflows/a.yaml": "a: [\n",
            "workflows/c.yaml": "kind: Policy\nname: c\n",
        ])
        #expect(
            catalog.diagnostics.map { $0.place?.description } == [
                "workflows/a.yaml:2:1", "workflows/b.yaml:3:8", "workflows/c.yaml:1:1",
            ])
    }

    @Test(
        "a name that an expression does not know at its place is an error there",
        arguments: [
            ("{id: a, run: [x, '${{ output }}']}", "4:27 in the expression: there is no 'output' here"),
            ("{id: a, run: [x], env: {A: '${{ item }}'}}", "4:37 in the expression: there is no 'item' here"),
            ("{id: a, ask: {prompt: '${{ inputs.x }}'}}", "4:39 in the expression: there is no member 'x'"),
            ("{id: a, set: {y: ['${{ vars.n }}']}}", "4:33 in the expression: there is no member 'n'"),
            ("{id: a, run: [x], if: now()}", "4:27 in the expression: there is no function now()"),
            ("{id: a, run: [x], if: 1 +}", "4:30 in the expression: expected a value, got the end of the expression"),
            ("{id: a, run: [x], if: \"'yes'\"}", "4:28 a condition must be true or false, this is string"),
            ("{id: a, wait: {for: '${{ run.x.'}}", "4:26 in the expression: this ${{ is not closed with }}"),
        ])
    func unknownNames(step: String, expected: String) {
        let found = diagnose(graph(step)).map { $0.split(separator: " (").first.map(String.init) ?? "" }
        #expect(found == [expected])
    }

    @Test(
        "text for a shell takes no values, whatever way it is written",
        arguments: [
            ("{id: a, run: 'echo ${{ inputs.x }}'}", "4:24", "X", "inputs.x"),
            (
                "{id: a, run: {script: 'echo ${{ run.startedBy }}', shell: /bin/bash}}", "4:33", "STARTED_BY",
                "run.startedBy"
            ),
            ("{id: a, run: [sh, -c, 'echo ${{ run.id }}']}", "4:33", "ID", "run.id"),
            ("{id: a, run: [/bin/bash, -euc, 'echo ${{ run.id }}', '${{ run.id }}']}", "4:42", "ID", "run.id"),
        ])
    func scripts(step: String, place: String, name: String, expression: String) {
        #expect(
            diagnose(graph(step)) == [
                "\(place) `${{ }}` in a script would become shell code (pass the value by the environment: `env: {\(name): \"${{ \(expression) }}\"}`, and write \"$\(name)\" in the script)"
            ])
    }

    @Test("a program may get values in its arguments, and a shell in those behind its script")
    func arguments() {
        #expect(diagnose(graph("{id: a, run: [make, '${{ run.id }}', -c, '${{ run.id }}']}")) == [])
        #expect(diagnose(graph("{id: a, run: [sh, -c, 'echo \"$1\"', sh, '${{ run.id }}']}")) == [])
    }

    @Test("what is appended to a variable is a list")
    func appends() {
        let vars = "vars: {n: {default: [], merge: append}}\n"
        #expect(diagnose(graph("{id: a, run: [x], output: text, update: {n: '${{ [output] }}'}}") + vars) == [])
        #expect(
            diagnose(graph("{id: a, run: [x], output: text, update: {n: '${{ output }}'}}") + vars) == [
                "4:49 `n` is appended to, so its update must be a list, got a string (put it in brackets: `${{ [output] }}`)"
            ])
    }

    @Test("a manifest damaged at random never brings the reader down")
    func damaged() {
        let text = Array(
            graph(
                "{id: a, run: [x, '${{ run.id }}'], env: {A: 'x'}, output: json}",
                "{id: b, needs: [{step: a, when: ended}], ask: {prompt: \"p ${{ steps.a.?output.x }}\", choices: [y, n]}}"
            ).utf8)
        var generator = SeededGenerator(7)
        for _ in 0..<400 {
            var damaged = text
            for _ in 0..<Int.random(in: 1...4, using: &generator) {
                let index = Int.random(in: 0..<damaged.count, using: &generator)
                switch Int.random(in: 0..<3, using: &generator) {
                case 0: damaged.remove(at: index)
                case 1: damaged.insert(damaged[Int.random(in: 0..<damaged.count, using: &generator)], at: index)
                default: damaged[index] = UInt8.random(in: 0...255, using: &generator)
                }
            }
            _ = Catalog.load([SourceFile(path: "workflows/w.yaml", bytes: damaged)], exists: { _ in true })
        }
    }

    @Test("hostile files are refused quickly")
    func hostile() {
        let towers = ["[", "{a: ", "- ", "? "].map { String(repeating: $0, count: 20_000) }
        for tower in towers {
            #expect(!load(["workflows/w.yaml": "kind: Workflow\nname: w\nsteps: " + tower]).diagnostics.isEmpty)
        }
        let many = "kind: Workflow\nname: w\n" + (0..<5_000).map { "x\($0): 1\n" }.joined()
        #expect(load(["workflows/w.yaml": many]).diagnostics.count <= 501)
    }

    @Test(
        "a misspelt member of an error gets a suggestion",
        arguments: [
            (
                "{id: a, run: [x], catch: [{if: error.kidn == 'exit', output: 1}]}",
                "4:42 in the expression: there is no member 'kidn' (did you mean 'kind'?)"
            ),
            (
                "{id: a, run: [x], retry: {on: [{if: error.exitcode == 3}]}}",
                "4:47 in the expression: there is no member 'exitcode' (did you mean 'exitCode'?)"
            ),
        ])
    func errorMembers(step: String, message: String) {
        #expect(diagnose(graph(step)) == [message])
    }

    @Test("every member that an error may have is known")
    func knownErrorMembers() {
        let members =
            ["step", "kind", "message"].map { "error.\($0) == ''" }
            + ["exitCode", "signal", "status"].map { "error.\($0) == 1" }
        for member in members {
            #expect(diagnose(graph("{id: a, run: [x], catch: [{if: \"\(member)\", output: 1}]}")) == [])
        }
    }

    @Test(
        "a wrong choice is one mistake",
        arguments: [
            (
                "{id: a, first: {x: {job: {handle: h, poll: {run: [x]}, every: 1m}}}}",
                "4:25 `job` cannot be one of several waits; give it a step of its own"
            ),
            (
                "{id: a, run: [x], compensate: {ask: {prompt: Undo?}}}",
                "4:36 `ask` cannot undo a step; `compensate` takes `run`, `http`, `uses`, `call` or `emit`"
            ),
        ])
    func wrongChoice(step: String, message: String) {
        #expect(diagnose(graph(step)) == [message])
    }

    @Test("only GET and HEAD are repeated unasked", arguments: ["GET", "HEAD", "OPTIONS", "PUT", "POST"])
    func repeatableRequests(method: String) throws {
        let text = graph("{id: a, http: {method: \(method), url: 'https://a.test'}}")
        let step = try #require(load(["workflows/w.yaml": text]).workflows["w"]?.plan.steps.first)
        #expect((step.sideEffects == .idempotent) == ["GET", "HEAD"].contains(method))
        #expect((step.onUnknown.word == "retry") == ["GET", "HEAD"].contains(method))
    }

    @Test("deep, long and repeated texts in a manifest are refused with one diagnostic each")
    func hostileExpressions() {
        let deep = String(repeating: "(", count: 20_000)
        let long = String(repeating: "1 + ", count: 200_000) + "1"
        let folds = (0..<40).reduce("1") { inner, _ in "[1].map(x, \(inner))" }
        for text in [deep, long, folds + " == 1 &&", String(repeating: "!", count: 50_000) + "true"] {
            let found = load(["workflows/w.yaml": graph("{id: a, run: [x], if: '\(text)'}")]).diagnostics
            #expect(found.count == 1)
            #expect(found.first?.place?.line == 4)
            #expect((found.first?.message.utf8.count ?? 0) < 500)
        }
    }

    @Test("of a file with thousands of mistakes the first 500 are told, with their hints")
    func manyMistakes() {
        let steps = (0..<2_000).map { "{id: s\($0), set: {v: '${{ steps.anotherStepAltogether.output }}'}}" }
        let found = load(["workflows/w.yaml": graph(steps.joined(separator: "\n  - "))]).diagnostics
        #expect(found.count == 501)
        #expect(found.prefix(500).map { $0.place?.line } == (0..<500).map { $0 + 4 })
        #expect(found.prefix(500).allSatisfy { $0.hint?.hasSuffix(" and 1980 more") ?? false })
        #expect(found.last?.message == "there is more than this wrong")
        #expect(found.last?.level == .note)
    }

    @Test("a file with thousands of warnings, and nothing else, is read to its end")
    func manyWarnings() throws {
        let steps = (0..<600).map { "{id: s\($0), run: [./missing], if: 'inputs.x == \"\($0)\"'}" }
        let text = graph(steps.joined(separator: "\n  - ")) + "inputs: {x: {type: string}}\n"
        let catalog = load(["workflows/w.yaml": text]) { _ in false }
        #expect(catalog.diagnostics.count == 501)
        #expect(catalog.diagnostics.allSatisfy { $0.level != .error }, "\(catalog.diagnostics.prefix(1))")
        #expect(try #require(catalog.workflows["w"]).plan.steps.allSatisfy { $0.condition != nil })
    }
}

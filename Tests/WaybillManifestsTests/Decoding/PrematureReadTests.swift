import Testing
import WaybillCore
import WaybillManifests

/// Expressions that read what is not there yet where they stand.
@Suite("Names that do not exist yet")
struct PrematureReadTests {
    /// Every field of a step whose expressions are evaluated before the step starts; `#` is the expression.
    private static let before = [
        "run: [x], if: '#.startsWith(\"x\")'", "run: [x, '${{ # }}']", "run: {script: x, stdin: '${{ # }}'}",
        "run: {script: x, cwd: '${{ # }}'}", "run: [x], env: {A: '${{ # }}'}", "http: {url: '${{ # }}'}",
        "http: {url: 'http://h', query: {q: '${{ # }}'}}", "http: {url: 'http://h', headers: {H: '${{ # }}'}}",
        "http: {url: 'http://h', json: {j: ['${{ # }}']}}", "http: {url: 'http://h', form: {f: '${{ # }}'}}",
        "http: {url: 'http://h', text: '${{ # }}'}", "http: {url: 'http://h', file: '${{ # }}'}",
        "ask: {prompt: '${{ # }}'}",
        "ask: {prompt: x, attach: ['${{ # }}']}", "ask: {prompt: x, timeout: 1h, default: '${{ # }}'}",
        "wait: {for: '${{ # }}'}", "wait: {until: '${{ # }}'}", "wait: {event: {type: t, key: '${{ # }}'}}",
        "wait: {event: {type: t, match: 'event.data == #'}}",
        "wait: {job: {handle: '${{ # }}', poll: {run: [x]}, every: 1m}}", "first: {x: {for: '${{ # }}'}}",
        "first: {x: {ask: {prompt: '${{ # }}'}}}", "emit: {type: '${{ # }}'}", "emit: {type: t, key: '${{ # }}'}",
        "emit: {type: t, subject: '${{ # }}'}", "emit: {type: t, data: {d: '${{ # }}'}}",
        "call: {workflow: w, with: {v: '${{ # }}'}}", "call: {workflow: w, id: '${{ # }}'}",
        "steps: [{id: i, set: {v: '${{ # }}'}}]", "uses: c@1, with: {v: '${{ # }}'}", "set: {v: '${{ # }}'}",
        "snapshot: {name: s, description: '${{ # }}'}", "fail: {message: '${{ # }}'}",
        "finish: {outputs: {v: '${{ # }}'}}", "run: [x], forEach: '${{ [#] }}'",
        "run: [x], forEach: {items: ['${{ # }}']}", "run: [x], while: '# == \"x\"', maxVisits: 2",
        "run: [x], retry: {on: [{if: '# == \"x\"'}]}",
    ]
    /// Those that are evaluated when it has ended.
    private static let after = [
        "run: [x], verify: ['# == \"x\"']", "run: [x], update: {n: '${{ # }}'}",
        "run: [x], catch: [{if: '# == \"x\"', output: 1}]", "run: [x], catch: [{output: '${{ # }}'}]",
        "run: [x], usage: {tokens: '${{ int(#) }}'}",
    ]

    private func errors(_ step: String, reading expression: String) -> [Diagnostic] {
        let text = graph(
            "{id: a, \(step.split(separator: "#", omittingEmptySubsequences: false).joined(separator: expression))}",
            "{id: later, needs: [], run: [x], output: text}")
        return load(["workflows/w.yaml": text + "vars: {n: {default: 1}}\n"]).diagnostics
    }

    @Test(
        "a step that may not have ended is named with its place, and with the `needs` that is missing",
        arguments: before + after)
    func laterSteps(step: String) {
        let found = errors(step, reading: "steps.later.output")
        #expect(
            found.contains {
                $0.message.hasSuffix("the step `later` may not have ended when `a` starts") && $0.place?.line == 4
                    && ($0.place?.column ?? 0) > 13 && $0.hint == "add `later` to its `needs`"
            }, "\(found.map(\.text))")
    }

    @Test("a step's own output is not there before it has ended", arguments: before)
    func ownOutput(step: String) {
        // `while` may look back at the visit before, by `steps`.
        let found = errors(step, reading: "output")
        #expect(
            found.contains { $0.message.contains("there is no 'output' here") && $0.place?.line == 4 },
            "\(found.map(\.text))")
    }

    @Test("a name that was never declared is named, with what was probably meant", arguments: before + after)
    func misspelt(step: String) {
        let found = errors(step, reading: "input.x")
        #expect(
            found.contains {
                $0.message.contains("there is no 'input' here") && $0.place?.line == 4
                    && $0.hint == "did you mean 'inputs'?"
            }, "\(found.map(\.text))")
    }

    @Test(
        "fields that take no expression say so",
        arguments: [
            "id: '${{ run.id }}', run: [x]", "id: a, needs: ['${{ run.id }}'], run: [x]",
            "id: a, uses: '${{ run.id }}'",
            "id: a, call: {workflow: '${{ run.id }}'}", "id: a, run: [x], pool: '${{ run.id }}'",
            "id: a, run: [x], timeout: '${{ run.id }}'", "id: a, run: [x], artifacts: ['${{ run.id }}']",
            "id: a, run: [x], retry: {maxAttempts: '${{ 3 }}'}",
        ])
    func literals(step: String) {
        let found = diagnose(graph("{\(step)}"))
        #expect(found.contains { $0.hasPrefix("4:") && $0.contains("takes no `${{ }}`") }, "\(found)")
    }
}

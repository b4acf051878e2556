import Testing
import WaybillCore
import WaybillManifests

/// One table row a field and mistake: what stands in a manifest, and the one diagnostic it gets.
@Suite("Fields of manifests")
struct FieldTests {
    struct Row: CustomTestStringConvertible, Sendable {
        let text: String
        let expected: String?

        init(_ text: String, _ expected: String?) {
            self.text = text
            self.expected = expected
        }

        var testDescription: String { text }
    }

    @Test(
        "a step's field with a mistake gets one diagnostic with its place",
        arguments: [
            Row("{id: a, run: [make]}", nil),
            Row("{id: a, run: make all}", nil),
            Row("{id: a, run: 5}", "4:18 `run` expects a script, got an integer (`5`)"),
            Row("{id: a, run: []}", "4:18 `run` is empty (it needs at least 1 of its entries)"),
            Row(
                "{id: a, run: [make, ~]}",
                "4:25 an entry of `run` expects a text or a number, got nothing (write \"\" for an empty text)"),
            Row("{id: a, run: [make, 5, true]}", nil),
            Row("{id: a, run: [make, [x]]}", "4:25 an entry of `run` expects a text or a number, got a list"),
            Row("{id: a, run: {}}", "4:18 `run` needs a command (give it one of `argv` or `script`)"),
            Row(
                "{id: a, run: {argv: [x], script: y}}",
                "4:30 `run` has one command, and `script` stands beside `argv` (keep one of the two)"),
            Row(
                "{id: a, run: {argv: [x], shell: /bin/sh}}",
                "4:30 `shell` means nothing for `argv`, which needs none (remove `shell`)"),
            Row("{id: a, run: {script: x, shell: sh}}", "4:37 `shell` expects an absolute path, got `sh`"),
            Row("{id: a, run: {script: x, shell: /bin/bash, stdin: {a: 1}, cwd: scratch, successCodes: [0, 3]}}", nil),
            Row("{id: a, run: {script: x, cwd: ../up}}", "4:35 `cwd` leaves the tree: `../up`"),
            Row(
                "{id: a, run: {script: x, successCodes: [256]}}",
                "4:45 an entry of `successCodes` expects an integer from 0 to 255, got 256"),
            Row(
                "{id: a, run: {script: x, timeout: 1m}}",
                "4:30 `run` has no field `timeout` (it may have `argv`, `script`, `shell`, `stdin`, `cwd` and `successCodes`)"
            ),
            Row(
                "{run: [make]}",
                "4:5 a step needs `id` (expected an id of letters, digits and underscores that begins with a letter)"),
            Row(
                "{id: 1a, run: [make]}",
                "4:10 `id` expects an id of letters, digits and underscores that begins with a letter, got `1a` (write `a`)"
            ),
            Row(
                "{id: a-b, run: [make]}",
                "4:10 `id` expects an id of letters, digits and underscores that begins with a letter, got `a-b` (write `a_b`)"
            ),
            Row(
                "{id: a}",
                "4:5 a step needs an action (give it one of `run`, `http`, `ask`, `wait`, `first`, `emit`, `call`, `steps`, `uses`, `set`, `snapshot`, `fail` or `finish`)"
            ),
            Row("{id: a, rnu: [make]}", "4:13 a step has no field `rnu` (did you mean 'run'?)"),
            Row(
                "{id: a, run: [make], ask: {prompt: x}}",
                "4:26 a step has one action, and `ask` stands beside `run` (keep one of the two)"),
            Row("{id: a, llm: {}}", "4:13 `llm` is not carried out by this version yet"),
            Row("{id: a, run: [make], executor: slurm}", "4:26 `executor` is not carried out by this version yet"),
            Row(
                "{id: a, run: [make], next: end}",
                "4:26 `next` belongs to `states`; in `steps` the order follows from `needs`"),
            Row(
                "{id: a, run: [make], maxVisits: 3}",
                "4:26 `maxVisits` means nothing without `while`: a step of a graph is visited once (remove it)"),
            Row("{id: a, run: [make], timeout: 10m}", nil),
            Row(
                "{id: a, run: [make], timeout: 10}",
                "4:35 `timeout` expects a duration such as `90s`, `10m`, `1h30m` or `3d`, got an integer (`10`)"),
            Row(
                "{id: a, run: [make], timeout: 10 min}",
                "4:35 `timeout` expects a duration such as `90s`, `10m`, `1h30m` or `3d`, got `10 min`"),
            Row(
                "{id: a, run: [make], timeout: \"${{ inputs.x }}\"}",
                "4:35 `timeout` takes no `${{ }}` (write the value itself)"),
            Row(
                "{id: a, set: {x: 1}, timeout: 10m}",
                "4:26 `timeout` means nothing for `set` (it belongs to `run`, `http`, `ask`, `wait` or `uses`)"),
            Row(
                "{id: a, ask: {prompt: x}, env: {A: b}}",
                "4:31 `env` means nothing for `ask` (it belongs to `run` or `wait`)"),
            Row("{id: a, run: [make], env: {A: b, PORT: 8080}}", nil),
            Row("{id: a, run: [make], env: [A]}", "4:31 `env` expects a map, got a list"),
            Row(
                "{id: a, run: [make], env: {A-B: x}}",
                "4:32 a name in `env` must be the name of an environment variable, not one of Waybill's own, got `A-B`"),
            Row(
                "{id: a, run: [make], env: {A: }}",
                "4:35 `A` expects a text or a number, got nothing (write \"\" for an empty text)"),
            Row("{id: a, run: [make], output: json}", nil),
            Row("{id: a, run: [make], output: xml}", "4:34 `output` expects `json`, `lines` or `text`, got `xml`"),
            Row(
                "{id: a, run: [make], output: jsn}",
                "4:34 `output` expects `json`, `lines` or `text`, got `jsn` (did you mean 'json'?)"),
            Row("{id: a, run: [make], output: {from: file, format: text, maxSize: 64KiB}}", nil),
            Row(
                "{id: a, run: [make], output: {from: file}}",
                "4:34 `output` needs `format` (expected `json`, `lines` or `text`)"),
            Row(
                "{id: a, run: [make], output: {format: text, maxSize: 5 MB}}",
                "4:58 `maxSize` expects a size such as `64KiB`, `1MiB` or a number of bytes, got `5 MB`"),
            Row(
                "{id: a, forEach: [1], run: [make], output: {format: json, sensitive: true}}",
                "4:63 `sensitive` means nothing for a step with `forEach`: the outputs of items are recorded together "
                    + "(put the step into a group that is repeated: `forEach` with `steps`)"),
            Row("{id: a, run: [make], artifacts: [dist/*.gz]}", nil),
            Row(
                "{id: a, run: [make], artifacts: [../x]}",
                "4:38 an entry of `artifacts` expects a relative path, got `../x`"),
            Row("{id: a, run: [make], verify: exitCode == 0}", "4:34 `verify` expects a list, got a string"),
            Row("{id: a, run: [make], if: 3}", "4:30 `if` expects a condition, got an integer (`3`)"),
            Row("{id: a, run: [make], if: ' '}", "4:30 `if` expects a condition, got an empty text"),
            Row(
                "{id: a, run: [make], continueOnError: yes}", "4:43 `continueOnError` expects true or false, got `yes`"),
            Row(
                "{id: a, run: [make], onUnknown: check}",
                "4:37 `onUnknown` expects `retry`, `fail` or `ask`, got `check`"),
            Row(
                "{id: a, run: [make], sideEffects: none}",
                "4:39 `sideEffects` expects `pure`, `idempotent` or `effect`, got `none`"),
            Row("{id: a, ask: {}}", "4:18 `ask` needs `prompt` (expected a text)"),
            Row(
                "{id: a, ask: {prompt: x, choices: [y, n], schema: {}}}",
                "4:47 `ask` has one kind of answer, and `schema` stands beside `choices` (keep one of the two)"),
            Row(
                "{id: a, ask: {prompt: x, choices: [y, y]}}",
                "4:43 the choice `y` is listed twice (remove one of the two)"),
            Row(
                "{id: a, ask: {prompt: x, choices: []}}", "4:39 `choices` is empty (it needs at least 1 of its entries)"
            ),
            Row("{id: a, ask: {prompt: x, approval: false}}", "4:40 `approval` expects true, got a boolean (`false`)"),
            Row(
                "{id: a, ask: {prompt: x, from: {}}}",
                "4:30 `from` names nobody (write `from: {groups: [release]}`, or remove it)"),
            Row(
                "{id: a, ask: {prompt: x, from: {quorum: 2}}}",
                "4:45 `quorum` counts approvals, and this question is none (write `approval: true` beside the prompt)"),
            Row(
                "{id: a, ask: {prompt: x, approval: true, from: {users: [u], quorum: 2}}}",
                "4:73 2 people must approve, and `users` names 1 (name more people, or lower `quorum`)"),
            Row(
                "{id: a, ask: {prompt: x, from: {notBy: [b]}}}", "4:45 there is no step `b` here (did you mean 'a'?)"),
            Row(
                "{id: a, ask: {prompt: x, from: {users: [a b]}}}",
                "4:45 an entry of `users` expects the name of a user or a group, got `a b`"),
            Row(
                "{id: a, ask: {prompt: x, from: {signers: [a@x]}}}",
                "4:10 the step `a` takes signatures, and no `kind: Settings` names the file of those who may sign (add `signers: .allowed_signers` to the settings)"
            ),
            Row("{id: a, ask: {prompt: x, remind: 1h}}", "4:30 `remind` is not carried out by this version yet"),
            Row("{id: a, ask: {prompt: x, choices: [yes, no], timeout: 1h, default: 'no'}}", nil),
            Row(
                "{id: a, ask: {prompt: x, choices: [yes, no], timeout: 1h, default: nope}}",
                "4:72 `default` expects `yes` or `no`, got `nope`"),
            Row(
                "{id: a, ask: {prompt: x, approval: true, timeout: 1h, default: false}}",
                "4:68 `default` expects `{approve: true}` or `{approve: false}` (write `default: {approve: false}`)"),
            Row(
                "{id: a, ask: {prompt: x, default: y}}",
                "4:39 `default` is never taken without a `timeout` (add `timeout`, such as 48h)"),
            Row(
                "{id: a, ask: {prompt: x, timeout: 1h}, timeout: 2h}",
                "4:30 `timeout` stands in `ask` and beside it (keep the one in `ask`)"),
            Row("{id: a, wait: {for: 30m}}", nil),
            Row(
                "{id: a, wait: {for: soon}}",
                "4:25 `for` expects a duration such as `90s`, `10m`, `1h30m` or `3d`, got `soon`"),
            Row("{id: a, wait: {until: 2026-11-20T10:15:00Z}}", nil),
            Row(
                "{id: a, wait: {until: tomorrow}}",
                "4:27 `until` expects a time such as `2026-11-20T10:15:00Z`, got `tomorrow`"),
            Row("{id: a, wait: {until: {next: '0 6 * * *', timezone: Europe/Paris}}}", nil),
            Row("{id: a, wait: {until: {timezone: UTC}}}", "4:27 `until` needs `next` (expected a text)"),
            Row(
                "{id: a, wait: {until: {next: '@reboot'}}}",
                "4:34 `next` is no cron expression: there is no such short form; there are @annually, @daily, @hourly, @midnight, @monthly, @weekly, @yearly"
            ),
            Row("{id: a, wait: {event: {type: x}}}", nil),
            Row(
                "{id: a, wait: {for: 1m, until: 2026-11-20T10:15:00Z}}",
                "4:29 `wait` has one time, and `until` stands beside `for` (keep one of the two)"),
            Row("{id: a, wait: 30m}", "4:19 `wait` expects a map, got a string"),
            Row("{id: a, set: {x: [1, {y: 2}]}}", nil),
            Row(
                "{id: a, set: x}", "4:18 `set` expects a map, got a text (write `name: value` entries, or one `${{ }}`)"
            ),
            Row(
                "{id: a, snapshot: {}}",
                "4:23 `snapshot` needs `name` (expected a name of 1 to 64 letters, digits, `.`, `_` or `-` that begins with a letter or digit)"
            ),
            Row("{id: a, snapshot: {name: x, tags: [y]}}", nil),
            Row(
                "{id: a, snapshot: {name: a b}}",
                "4:30 `name` expects a name of 1 to 64 letters, digits, `.`, `_` or `-` that begins with a letter or digit, got `a b`"
            ),
            Row(
                "{id: a, run: [make], env: {WAYBILL_STEP: x}}",
                "4:32 a name in `env` must be the name of an environment variable, not one of Waybill's own, got `WAYBILL_STEP`"
            ),
            Row("{id: a, fail: {}}", "4:19 `fail` needs `message` (expected a text)"),
            Row("{id: a, fail: oops}", "4:19 `fail` expects a map with `message`, got a string"),
            Row(
                "{id: a, snapshot: {name: a b}}",
                "4:30 `name` expects a name of 1 to 64 letters, digits, `.`, `_` or `-` that begins with a letter or digit, got `a b`"
            ),
            Row(
                "{id: a, run: [make], env: {WAYBILL_STEP: x}}",
                "4:32 a name in `env` must be the name of an environment variable, not one of Waybill's own, got `WAYBILL_STEP`"
            ),
            Row("{id: a, finish: {outputs: {x: 1}}}", nil),
            Row("{id: a, finish: {output: 1}}", "4:22 `finish` has no field `output` (did you mean 'outputs'?)"),
            Row(
                "{id: a, set: {x: 1}, update: {n: 1}}",
                "4:35 `update` names the variable `n`, which `vars` does not declare (declare it in `vars`)"),
            Row("[a]", "4:5 an entry of `steps` expects a map with `id`, got a list"),
        ])
    func stepFields(row: Row) {
        #expect(diagnose(graph(row.text)) == (row.expected.map { [$0] } ?? []))
    }

    @Test(
        "a workflow's field with a mistake gets one diagnostic with its place",
        arguments: [
            Row("labels: {a: b}", nil),
            Row(
                "labels: {a: 1.0}",
                "4:13 `a` expects a text, got a number (`1.0`) (put quotes around it if a text is meant)"),
            Row("labels: []", "4:9 `labels` expects a map, got a list"),
            Row("lables: {a: b}", "4:1 a workflow has no field `lables` (did you mean 'labels'?)"),
            Row("inputs: {v: {type: string, default: x}, w: true}", nil),
            Row("inputs: {v: string}", "4:13 `v` expects a JSON Schema, got a string"),
            Row(
                "inputs: {my-input: {}}",
                "4:10 a name in `inputs` must be an id of letters, digits and underscores that begins with a letter, got `my-input` (write `my_input`)"
            ),
            Row(
                "inputs: {v: {type: strin}}",
                "4:20 the JSON Schema is invalid: 'strin' is no type; did you mean 'string'?"),
            Row(
                "inputs: {v: {type: integer, default: x}}",
                "4:38 the default of `v` does not fit the schema: expected integer, got string"),
            Row(
                "inputs: {v: {type: object, default: {a: 1}, properties: {a: {type: string}}}}",
                "4:41 the default of `v` does not fit the schema: a: expected string, got integer"),
            Row(
                "inputs: {v: {typ: string}}",
                "4:14 warning: JSON Schema has no keyword `typ`, so it means nothing here (did you mean 'type'?)"),
            Row("context: {a: [1, {b: c}]}", nil),
            Row("context: {a: '${{ inputs.x }}'}", "4:14 `a` takes no `${{ }}`"),
            Row(
                "context: {a: .inf}",
                "4:14 infinity and NaN are no JSON numbers (put quotes around it if a text is meant)"),
            Row("vars: {n: {default: []}, m: {default: [], merge: append}}", nil),
            Row("vars: {n: {merge: append}}", "4:11 a variable needs `default` (expected a value)"),
            Row(
                "vars: {n: {default: 1, merge: append}}",
                "4:21 `n` is appended to, so its default must be a list, got an integer (write `default: []`)"),
            Row("vars: {n: {default: 1, merge: add}}", "4:31 `merge` expects `replace` or `append`, got `add`"),
            Row("vars: {n: 1}", "4:11 `n` expects a map with `default`, got an integer"),
            Row("goal: {summary: x}", nil),
            Row("goal: {acceptance: []}", "4:7 a goal needs `summary` (expected a text)"),
            Row("env: {A: 1}", nil),
            Row("env: {A: [1]}", "4:10 `A` expects a text or a number, got a list"),
            Row("files: [scripts/**]", nil),
            Row("files: scripts", "4:8 `files` expects a list, got a string"),
            Row("files: [/etc/passwd]", "4:9 an entry of `files` expects a relative path, got `/etc/passwd`"),
            Row("checkpoint: {every: 0}", "4:21 `every` expects an integer from 1 to 1000000, got 0"),
            Row("durability: none", "4:13 `durability` expects `full` or `relaxed`, got `none`"),
            Row("outputs: {url: '${{ inputs }}', n: 1}", nil),
            Row("outputs: [1]", "4:10 `outputs` expects a map, got a list"),
            Row("on: {schedule: []}", "4:1 `on` is not carried out by this version yet"),
            Row("suspend: true", "4:1 `suspend` is not carried out by this version yet"),
            Row("start: a", "4:1 `start` belongs to `states`; in `steps` the order follows from `needs`"),
            Row(
                "states: {a: {set: {}, next: end}}",
                "4:1 a workflow has one plan, and `states` stands beside `steps` (keep one of the two)"),
        ])
    func workflowFields(row: Row) {
        let text = "kind: Workflow\nname: w\nsteps: [{id: a, set: {x: 1}}]\n\(row.text)\n"
        #expect(diagnose(text) == (row.expected.map { [$0] } ?? []))
    }

    @Test(
        "a document's head with a mistake gets one diagnostic",
        arguments: [
            Row(
                "name: w",
                "1:1 a manifest needs `kind` (give it one of `Workflow`, `Policy`, `Capability`, `Run`, `Settings` or `Test`)"
            ),
            Row(
                "kind: workflow\nname: w",
                "1:7 `kind` expects `Workflow`, `Policy`, `Capability`, `Run`, `Settings` or `Test`, got `workflow` (did you mean 'Workflow'?)"
            ),
            Row(
                "kind: Workflow\nname: My Flow\nsteps: [{id: a, set: {}}]",
                "2:7 `name` expects a name of lower-case letters, digits and dashes that begins with a letter, got `My Flow` (write `my-flow`)"
            ),
            Row(
                "kind: Workflow\nname: 12\nsteps: [{id: a, set: {}}]",
                "2:7 `name` expects a name of lower-case letters, digits and dashes that begins with a letter, got an integer (`12`) (put quotes around it if a text is meant)"
            ),
            Row(
                "kind: Workflow\nsteps: [{id: a, set: {}}]",
                "1:1 a workflow needs `name` (expected a name of lower-case letters, digits and dashes that begins with a letter)"
            ),
            Row("kind: Workflow\nname: w", "1:1 a workflow needs a plan (give it one of `steps` or `states`)"),
            Row("kind: Workflow\nname: w\nsteps: []", "3:8 `steps` is empty (it needs at least 1 of its entries)"),
            Row("kind: Workflow\nname: w\nsteps: x", "3:8 `steps` expects a list, got a string"),
            Row("- a", "1:1 a manifest is a map with `kind` and `name`, got a list"),
            Row("---\n---\n# nothing", nil),
        ])
    func heads(row: Row) {
        #expect(diagnose(row.text) == (row.expected.map { [$0] } ?? []))
    }
}

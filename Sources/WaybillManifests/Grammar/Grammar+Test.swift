extension Grammar {
    static let test = FieldTable(
        "a test",
        [
            .required("kind", .scalar(.word(["Test"])), "`Test`."),
            .required("name", .scalar(.name), "The test's name, unique in the tree."),
            .required("workflow", .scalar(.name), "The workflow that is tested."),
            .required("cases", .list(.fields(testCase), atLeast: 1), "The cases, each a run of its own."),
        ])

    private static let testCase = FieldTable(
        "a case",
        [
            .required("name", .scalar(.text), "What the case is about, unique in the test."),
            .optional("inputs", .entries(key: .id, .literal), "The inputs the run starts with."),
            .optional(
                "stubs",
                .entries(key: .text, .either([.fields(stub), .list(.fields(stub), atLeast: 1)])),
                "By address, such as `build` or `load-3.triage`: what its attempts come to, in order; the last one serves all further ones."
            ),
            .optional(
                "answers", .entries(key: .text, .literal),
                "By the key of the wait: the answer it gets when it opens; a list answers one visit after the other."),
            .optional("events", .list(.fields(event)), "Events that arrive, in order, once nothing else goes on."),
            .optional("advance", .scalar(.duration), "How far the clock moves once nothing else goes on."),
            .required("expect", .fields(expectation), "What the run must come to; what is not named is not looked at."),
        ])

    private static let stub = FieldTable(
        "a stub",
        [
            .optional("exitCode", .scalar(.integer(0...255)), "The exit code of the process; 0 unless said."),
            .optional("signal", .scalar(.signal), "The signal that ended the process."),
            .optional("error", .fields(stubError), "An error of what has no exit code."),
            .optional("status", .scalar(.integer(100...599)), "The status of an `http` step's response."),
            .optional("lost", .scalar(.flag), "The outcome of the attempt is unknown."),
            .optional("output", .literal, "The output; of an `http` step the response's body."),
            .optional("headers", .entries(key: .text, .scalar(.text)), "The headers of the response."),
            .optional("artifacts", .list(.scalar(.path)), "The files the attempt leaves."),
            .optional("takes", .scalar(.duration), "How long the attempt takes; no time unless said."),
        ],
        choices: [
            .init(names: ["exitCode", "signal", "error", "status", "lost"], isRequired: false, what: "result")
        ])

    private static let stubError = FieldTable(
        "`error`",
        [
            .required("kind", .scalar(.word(errorKinds)), "The kind of error."),
            .optional("message", .scalar(.text), "Its message."),
        ])

    /// Contract, Appendix A.
    private static let errorKinds = [
        "exit", "signal", "timeout", "verification", "policy", "limit", "expression", "answer", "executor", "unknown",
        "compensation", "cancelled", "failed", "internal",
    ]

    private static let event = FieldTable(
        "an event",
        [
            .required("type", .scalar(.text), "Its CloudEvents type."),
            .optional("id", .scalar(.text), "Its id; a number unless said."),
            .optional("source", .scalar(.text), "Where it comes from."),
            .optional("key", .scalar(.text), "What waits with a `key` compare."),
            .optional("subject", .scalar(.text), "What it is about."),
            .optional("data", .literal, "Its payload."),
        ])

    private static let expectation = FieldTable(
        "`expect`",
        [
            .optional("status", .scalar(.word(runStatuses)), "The status of the run."),
            .optional("outputs", .literal, "All its outputs."),
            .optional("error", .literal, "Members of its error, such as `{kind: exit}`."),
            .optional(
                "steps", .entries(key: .text, .either([.scalar(.word(stepStatuses)), .fields(stepExpectation)])),
                "By address: a status, or members of `steps.<id>`."),
            .optional(
                "ledger", .list(.either([.scalar(.text), .fields(entryExpectation)])),
                "Entries that occur in this order, others between them allowed."),
            .optional("waiting", .list(.scalar(.text)), "The keys of all waits that are open at the end."),
        ])

    private static let runStatuses = [
        "pending", "running", "waiting", "paused", "completed", "failed", "cancelled", "quarantined",
    ]
    private static let stepStatuses = [
        "pending", "running", "waiting", "completed", "failed", "skipped", "cancelled", "unknown", "compensated",
    ]

    private static let stepExpectation = FieldTable(
        "an expected step",
        [
            .optional("status", .scalar(.word(stepStatuses)), "Its status."),
            .optional("output", .literal, "Its output."),
            .optional("exitCode", .scalar(.integer(0...255)), "Its exit code."),
            .optional("attempts", .scalar(.integer(0...Int64.max)), "How many attempts it had."),
            .optional("visits", .scalar(.integer(0...Int64.max)), "How often it was visited."),
            .optional("error", .literal, "Its error."),
            .optional("items", .literal, "The items of `forEach`."),
            .optional("artifacts", .literal, "The files it left."),
            .optional("answers", .literal, "The answers it got."),
        ])

    private static let entryExpectation = FieldTable(
        "an expected entry",
        [
            .required("type", .scalar(.text), "The type of the entry, such as `TASK_END`."),
            .optional("step", .scalar(.text), "The address of its step."),
            .optional("visit", .scalar(.integer(1...Int64.max)), "The visit."),
            .optional("attempt", .scalar(.integer(1...Int64.max)), "The attempt."),
            .optional("actor", .scalar(.text), "Who caused it."),
            .optional("data", .literal, "Members of its data."),
        ])

    static let declaredRun = FieldTable(
        "a run",
        [
            .required("kind", .scalar(.word(["Run"])), "`Run`."),
            .required("name", .scalar(.name), "The declaration's name, unique in the tree."),
            .required("workflow", .scalar(.name), "The workflow to run."),
            .optional("inputs", .entries(key: .id, .literal), "The inputs."),
            .optional("labels", labels, "Labels of the run. Texts."),
            .optional("notBefore", .scalar(.time), "The earliest start."),
            .optional(
                "generation", .scalar(.integer(1...Int64.max)), "Another number asks for the same run once more."),
        ])
}

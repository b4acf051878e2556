extension Grammar {
    /// A step of a graph.
    static let step = FieldTable(
        "a step",
        [
            .required("id", .scalar(.id), "The step's id, unique in the workflow."),
            .optional(
                "needs", .either([.list(.either([.scalar(.id), .fields(need)])), .scalar(.id)]),
                "The steps that must have ended before. Without it: the step above; `[]`: none."),
        ] + actions + modifiers + [
            .misplaced("next", "belongs to `states`; in `steps` the order follows from `needs`"),
            .misplaced("maxVisits", "belongs to `states`; a step of a graph is visited once"),
        ],
        choices: [actionChoice])

    /// A state of a machine.
    static let state = FieldTable(
        "a state",
        [
            .optional(
                "next", .either([.scalar(.id), .list(.fields(transition), atLeast: 1)]),
                "The state to go to, or a list of conditions that ends with an unconditional entry; `end` completes the run."
            ),
            .optional(
                "maxVisits", .scalar(.integer(1...1_000_000)),
                "How often the state may be visited before the run fails."),
        ] + actions + modifiers + [
            .misplaced("needs", "belongs to `steps`; in `states` the order follows from `next`"),
            .misplaced("id", "is not needed: the state's name is its id"),
        ],
        choices: [actionChoice])

    static let actionNames = [
        "run", "ask", "wait", "set", "snapshot", "fail", "finish", "http", "first", "emit", "call", "steps", "uses",
        "llm",
        "tool", "plan",
    ]

    private static let actionChoice = FieldTable.Choice(names: actionNames, isRequired: true, what: "action")

    private static let actions: [Field] =
        [
            .optional(
                "run", .either([.list(.scalar(.argument), atLeast: 1), .scalar(.script), .fields(run)]),
                "A process: a list is an argv without a shell, a text is a `/bin/sh -eu` script."),
            .optional("ask", .fields(ask), "A question, answered by a file in the run's inbox."),
            .optional("wait", .fields(wait), "A wait for the clock."),
            .optional(
                "set", .either([.entries(key: .id, .templated), .scalar(.template)]),
                "Values; the map is the step's output."),
            .optional("snapshot", .fields(snapshot), "A named bookmark of the run."),
            .optional("fail", .fields(fail), "Fails the run with a message."),
            .optional("finish", .fields(finish), "Completes the run early."),
        ] + Field.later("http", "first", "emit", "call", "steps", "uses", "llm", "tool", "plan")

    private static let modifiers: [Field] =
        [
            .optional("if", .scalar(.condition), "The step is skipped unless this is true."),
            .optional(
                "timeout", .scalar(.duration), for: ["run", "ask"],
                "The longest time an attempt, or the wait for an answer, may take."),
            .optional("env", environment, for: ["run"], "Environment of the process. Values may hold `${{ }}`."),
            .optional(
                "output", .either([.scalar(.word(["json", "lines", "text"])), .fields(output)]), for: ["run"],
                "How the process's output becomes a value. None given: no output."),
            .optional(
                "artifacts", .list(.scalar(.path)), for: ["run"],
                "Globs of files to keep, relative to the working directory."),
            .optional(
                "verify", .list(.scalar(.condition), atLeast: 1), for: ["run", "ask", "set", "wait"],
                "Conditions the result must meet, or it is rejected."),
            .optional(
                "update", .entries(key: .id, .templated, atLeast: 1), "Changes to `vars` once the step completed."),
            .optional("continueOnError", .scalar(.boolean), "Whether the run goes on when the step fails."),
            .optional(
                "onUnknown", .scalar(.word(["retry", "fail", "ask"])), for: ["run"],
                "What happens to an attempt whose outcome is unknown after a crash; unless said `ask`, or `retry` where `sideEffects` allows it."
            ),
            .optional(
                "sideEffects", .scalar(.word(["pure", "idempotent", "effect"])), for: ["run"],
                "What the process does to the world outside; `pure` and `idempotent` ones may be repeated."),
        ]
        + Field.later(
            "forEach", "while", "retry", "compensate", "catch", "secrets", "usage", "pool", "pivot", "with", "failure",
            "executor", "resources")

    private static let need = FieldTable(
        "an entry of `needs`",
        [
            .required("step", .scalar(.id), "The id of the step."),
            .optional(
                "when", .scalar(.word(["completed", "failed", "ended"])),
                "How it must have ended; `completed` unless said."),
        ])

    private static let transition = FieldTable(
        "an entry of `next`",
        [
            .optional("if", .scalar(.condition), "The condition; the last entry has none."),
            .required("to", .scalar(.id), "The state, or `end`."),
        ])

    private static let output = FieldTable(
        "`output`",
        [
            .optional("from", .scalar(.word(["stdout", "file"])), "`file` is the one named by WAYBILL_OUTPUT."),
            .required("format", .scalar(.word(["json", "lines", "text"])), "How it is read."),
            .optional("schema", .schema, "A JSON Schema it must fit."),
            .optional("maxSize", .scalar(.size), "A longer output fails the step; `1MiB` unless said."),
        ] + Field.later("sensitive"))
}

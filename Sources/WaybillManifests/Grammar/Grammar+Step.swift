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
            .optional(
                "maxVisits", .scalar(.integer(1...1_000_000)),
                "How often a step with `while` may be visited before the run fails."),
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
        "run", "http", "ask", "wait", "first", "emit", "call", "steps", "uses", "set", "snapshot", "fail", "finish",
        "llm", "tool", "plan",
    ]

    private static let actionChoice = FieldTable.Choice(names: actionNames, isRequired: true, what: "action")

    /// What `run` takes: an argv, a script, or the map with either.
    static let processShape = Shape.either([.list(.scalar(.argument), atLeast: 1), .scalar(.script), .fields(run)])

    private static let actions: [Field] =
        [
            .optional(
                "run", processShape, "A process: a list is an argv without a shell, a text is a `/bin/sh -eu` script."),
            .optional("http", .fields(http), "A request over HTTP; its output is `{status, headers, body}`."),
            .optional("ask", .fields(ask), "A question, answered by a file in the run's inbox."),
            .optional("wait", .fields(wait), "A wait for the clock, an event or a job."),
            .optional("first", first, "Several waits; the first that ends wins, and the output is `{first, value}`."),
            .optional("emit", .fields(emit), "An event for other runs; the output is `{id}`."),
            .optional("call", .fields(call), "Another workflow, as a run of its own; the output is its outputs."),
            .optional(
                "steps", .list(.nested(name: "step") { step }, atLeast: 1),
                "A group: a graph of its own. The output holds the outputs of its steps."),
            .optional("uses", .scalar(.capability), "A capability with its version, such as `publish@1`."),
            .optional(
                "set", .either([.entries(key: .id, .templated), .scalar(.template)]),
                "Values; the map is the step's output."),
            .optional("snapshot", .fields(snapshot), "A named bookmark of the run."),
            .optional("fail", .fields(fail), "Fails the run with a message."),
            .optional("finish", .fields(finish), "Completes the run early."),
        ] + Field.later("llm", "tool", "plan")

    /// The fields of these actions, for tables that take only some.
    static func actionFields(_ names: [String]) -> [Field] {
        names.compactMap { name in actions.first { $0.name == name } }
    }

    /// All that may have a result.
    private static let resultActions = ["run", "http", "ask", "wait", "first", "emit", "call", "steps", "uses", "set"]
    private static let recoverable = resultActions + ["snapshot"]

    private static let modifiers: [Field] =
        [
            .optional("if", .scalar(.condition), "The step is skipped unless this is true."),
            .optional(
                "forEach", .either([.list(.templated), .scalar(.template), .fields(forEach)]), for: recoverable,
                "The action once for each item: a list, or the map with `items`."),
            .optional(
                "while", .scalar(.condition), for: recoverable,
                "The step is visited again while this is true; tested before each visit."),
            .optional(
                "timeout", .scalar(.span), for: ["run", "http", "ask", "wait", "uses"],
                "The longest time an attempt, or the wait for an answer, an event or a job, may take."),
            .optional(
                "limits", .fields(processLimits), for: ["run", "uses"],
                "What its processes may use of the machine; field by field before those of its capability."),
            .optional("with", .entries(key: .id, .templated), for: ["uses"], "The inputs of the capability."),
            .optional(
                "env", environment, for: ["run", "wait"], "Environment of the process. Values may hold `${{ }}`."),
            .optional(
                "secrets", secrets, for: ["run", "wait"],
                "Secrets that the process gets in its environment: the variable, and a name from the settings."),
            .optional(
                "output", .either([.scalar(.word(["json", "lines", "text"])), .fields(output)]), for: ["run", "wait"],
                "How the process's output becomes a value. None given: no output."),
            .optional(
                "artifacts", .list(.scalar(.path)), for: ["run"],
                "Globs of files to keep, relative to the working directory."),
            .optional(
                "verify", .list(.scalar(.condition), atLeast: 1), for: resultActions,
                "Conditions the result must meet, or it is rejected."),
            .optional(
                "update", .entries(key: .id, .templated, atLeast: 1), "Changes to `vars` once the step completed."),
            .optional(
                "retry", .fields(retry), for: ["run", "http", "call", "steps", "uses"],
                "What is tried again, how often and after how long."),
            .optional(
                "catch", .list(.fields(catchRule), atLeast: 1), for: recoverable,
                "Failures that are passed over; the first entry that fits counts."),
            .optional(
                "compensate", .fields(compensation), for: ["run", "http", "wait", "emit", "call", "steps", "uses"],
                "What undoes the step when the run fails later; it sees the step's `output`."),
            .optional(
                "pivot", .scalar(.boolean), for: resultActions,
                "Once the step completed, the compensations of earlier ones are discharged."),
            .optional("continueOnError", .scalar(.boolean), "Whether the run goes on when the step fails."),
            .optional(
                "usage", .fields(usage), for: resultActions,
                "Tokens and cost that count against budgets; it sees the step's `output`."),
            .optional(
                "pool", .scalar(.name), for: ["run", "http", "uses"],
                "A pool of `Settings.pools`; a running attempt holds one place of it."),
            .optional(
                "onUnknown", unknownRule, for: ["run", "http", "uses"],
                "What happens to an attempt whose outcome is unknown after a crash; unless said `ask`, or `retry` where `sideEffects` allows it."
            ),
            .optional(
                "sideEffects", .scalar(.word(["pure", "idempotent", "effect"])), for: ["run", "http"],
                "What the process does to the world outside; `pure` and `idempotent` ones may be repeated."),
        ] + Field.later("failure", "executor", "resources")

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
            .optional(
                "sensitive", .scalar(.boolean),
                "Kept in an artifact that can be erased, and nowhere else; of a `run` step."),
        ])
}

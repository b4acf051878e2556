// What happens when a step fails, and what undoes it.
extension Grammar {
    static let retry = FieldTable(
        "`retry`",
        [
            .optional("maxAttempts", .scalar(.integer(1...1_000_000)), "Attempts in all; 1 means no retry."),
            .optional(
                "backoff", .scalar(.word(["fixed", "exponential"])), "Whether the back-off doubles with every attempt."),
            .optional("initial", .scalar(.duration), "The first back-off."),
            .optional("max", .scalar(.duration), "The longest back-off."),
            .optional(
                "jitter", .scalar(.word(["none", "full"])),
                "`full`: any time between nothing and the back-off, so that many do not come back at once."),
            .optional(
                "on", .list(.either([.scalar(.word(retryKinds)), .fields(retryCause)]), atLeast: 1),
                "What is retried: `[exit, signal, timeout, executor]` unless said."),
        ])

    /// The kinds of errors that another attempt may not have.
    static let retryKinds = ["exit", "signal", "timeout", "executor", "verification", "expression", "failed", "secret"]

    private static let retryCause = FieldTable(
        "an entry of `on`",
        [
            .optional(
                "exit", .either([.list(.scalar(.integer(1...255)), atLeast: 1), .scalar(.integer(1...255))]),
                "Exit codes."),
            .optional("signal", .either([.list(.scalar(.signal), atLeast: 1), .scalar(.signal)]), "Signals."),
            .optional("status", .either([.list(.scalar(.status), atLeast: 1), .scalar(.status)]), "HTTP statuses."),
            .optional("if", .scalar(.condition), "A condition that sees `error` and `attempt`."),
        ],
        choices: [.init(names: ["exit", "signal", "status", "if"], isRequired: true, what: "cause")])

    static let catchRule = FieldTable(
        "an entry of `catch`",
        [
            .optional("if", .scalar(.condition), "A condition that sees `error`; any failure unless said."),
            .optional("output", .templated, "The step completes with this output."),
            .optional("to", .scalar(.id), "The state to go on with, or `end`."),
        ],
        choices: [.init(names: ["output", "to"], isRequired: true, what: "way out")])

    static let compensation = FieldTable(
        "`compensate`",
        actionFields(compensatingActions) + [
            .optional("with", .entries(key: .id, .templated), for: ["uses"], "The inputs of the capability."),
            .optional(
                "timeout", .scalar(.span), for: ["run", "http", "uses"], "The longest time an attempt may take."),
            .optional(
                "limits", .fields(processLimits), for: ["run", "uses"], "What its processes may use of the machine."),
            .optional("env", environment, for: ["run"], "Environment of the process."),
            .optional("secrets", secrets, for: ["run"], "Secrets that the process gets."),
            .optional("retry", .fields(retry), for: ["run", "http", "uses", "call"], "Its own rule."),
            .optional(
                "on", .scalar(.word(["completed", "started"])),
                "`started`: also a failed, timed-out or unknown attempt is undone."),
            .optional(
                "onUnknown", unknownRule, for: ["run", "http", "uses"],
                "What happens to an attempt to undo whose outcome is unknown; unless said `ask`, or `retry` where `sideEffects` allows it."
            ),
            .optional(
                "sideEffects", .scalar(.word(["pure", "idempotent", "effect"])), for: ["run", "http"],
                "`idempotent` says that undoing twice is as good as once."),
        ]
            + otherActions.map {
                .misplaced($0, "cannot undo a step; `compensate` takes \(Phrase.alternatives(compensatingActions))")
            },
        choices: [.init(names: compensatingActions + otherActions, isRequired: true, what: "action")])

    private static let otherActions = actionNames.filter { !compensatingActions.contains($0) }

    static let compensatingActions = ["run", "http", "uses", "call", "emit"]

    static let unknownRule = Shape.either([.scalar(.word(["retry", "fail", "ask"])), .fields(unknownCheck)])

    private static let unknownCheck = FieldTable(
        "`onUnknown`", [.required("check", .fields(check), "A process that finds out what became of the attempt.")])

    private static let check = FieldTable(
        "`check`",
        [
            .required(
                "run", processShape,
                "Exit code 0: it is done, and standard output is the output; 1: try again; any other: ask."),
            .optional("env", environment, "Environment of the process."),
            .optional("secrets", secrets, "Secrets that the process gets."),
            .optional("timeout", .scalar(.span), "The longest time it may take."),
            .optional("limits", .fields(processLimits), "What its processes may use of the machine."),
        ])

    static let usage = FieldTable(
        "`usage`",
        [
            .optional("tokens", .scalar(.amount), "Tokens spent; a whole number."),
            .optional("cost", .scalar(.amount), "What it cost."),
        ])

    static let forEach = FieldTable(
        "`forEach`",
        [
            .required(
                "items", .either([.list(.templated), .entries(key: .text, .templated), .scalar(.template)]),
                "A list, or a map whose entries become `{key, value}`."),
            .optional("key", .scalar(.condition), "A text that names each item; sees `item` and `index`."),
            .optional(
                "maxParallel", .scalar(.integer(1...10_000)), "Items that are worked on at once; 10 unless said."),
            .optional(
                "onItemFailure", .scalar(.word(["finish", "stop", "collect"])),
                "`finish` the other items and fail, `stop` and fail, or `collect` what failed in `items[]`."),
        ])
}

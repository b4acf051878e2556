/// The fields of every kind of manifest (contract, sections 3 and 4, and Appendix A).
enum Grammar {}

extension Grammar {
    static let workflow = FieldTable(
        "a workflow",
        [
            .required("kind", .scalar(.word(["Workflow"])), "`Workflow`."),
            .required("name", .scalar(.name), "The workflow's name, unique in the tree."),
            .optional("labels", labels, "Facts to select the workflow by, for policies and lists. Texts."),
            .optional(
                "inputs", .entries(key: .id, .schema),
                "What a start must give: a JSON Schema for each input. Required unless it has a `default`."),
            .optional(
                "context", .entries(key: .id, .literal), "Immutable facts, copied into the run when it starts."),
            .optional("goal", .fields(goal), "What a run is for, and the conditions its outputs must meet."),
            .optional("vars", .entries(key: .id, .fields(variable)), "Mutable state of the run, changed by `update`."),
            .optional("env", environment, "Environment of every process step."),
            .optional("files", .list(.scalar(.path)), "Globs of files frozen with a run, beside the workflow's file."),
            .optional("checkpoint", .fields(checkpoint), "Extra checkpoints of the state."),
            .optional(
                "durability", .scalar(.word(["full", "relaxed"])),
                "`full` syncs every decision to the disk before it counts; `relaxed` leaves that to the kernel."),
            .optional(
                "steps", .list(.fields(step), atLeast: 1),
                "A graph of steps. Each follows the one above unless `needs` says otherwise."),
            .optional("states", .entries(key: .id, .fields(state), atLeast: 1), "A state machine; cycles are welcome."),
            .optional("start", .scalar(.id), "The first state; the first one written unless said."),
            .optional("outputs", .entries(key: .id, .templated), "What a completed run gives back."),
            .optional("concurrency", .fields(concurrency), "How many runs of a group may go on at once."),
            .optional("retry", .fields(retry), "What the `retry` of every step falls back on, field by field."),
            .optional("limits", .fields(limits), "Budgets of a run; they warn at 80 % and stop it at 100 %."),
            .optional(
                "failure", .scalar(.word(["compensate", "hold", "stop"])),
                "What follows a failure that nothing passes over: `compensate` unless said."),
            .optional(
                "onFailure", .list(.fields(step), atLeast: 1),
                "Steps that run after a failure and its compensations; they see `error`."),
            .optional(
                "finally", .list(.fields(step), atLeast: 1),
                "Steps that run before the run ends, however it ends; they see `error`, null where nothing failed."),
            .optional(
                "onPause", .scalar(.word(["keep", "rollback"])),
                "`rollback` compensates before the run reports `paused`, and a resume starts over."),
            .misplaced("catch", "belongs to a step; a workflow has `onFailure`"),
            .optional(
                "control", .fields(control),
                "Who may control its runs. Where the settings restrict that as well, both must hold."),
            .misplaced("secrets", "belongs to the steps that need them"),
        ] + Field.later("on", "suspend", "hooks", "retention"),
        choices: [.init(names: ["steps", "states"], isRequired: true, what: "plan")])

    static let labels = Shape.entries(key: .text, .scalar(.text))
    static let environment = Shape.entries(key: .environmentName, .scalar(.argument))

    private static let goal = FieldTable(
        "a goal",
        [
            .required("summary", .scalar(.template), "One sentence."),
            .optional(
                "acceptance", .list(.scalar(.condition)), "Conditions over `outputs` that a completed run must meet."),
        ])

    private static let variable = FieldTable(
        "a variable",
        [
            .required("default", .literal, "The value at the start of a run."),
            .optional(
                "merge", .scalar(.word(["replace", "append"])),
                "Whether an update replaces the value or is appended to the list."),
        ])

    private static let checkpoint = FieldTable(
        "`checkpoint`",
        [.required("every", .scalar(.integer(1...1_000_000)), "A checkpoint after every so many steps.")])

    private static let concurrency = FieldTable(
        "`concurrency`",
        [
            .required("group", .scalar(.template), "The group's name; it may hold `${{ inputs.x }}`."),
            .optional("limit", .scalar(.integer(1...1_000_000)), "Runs that may go on at once; 1 unless said."),
            .optional(
                "onLimit", .scalar(.word(["queue", "skip", "cancelOldest"])),
                "What happens to one run too many: `queue` unless said."),
        ])

    static let limits = FieldTable(
        "`limits`",
        [
            .optional("steps", .scalar(.integer(1...Int64.max)), "Attempts started."),
            .optional("retries", .scalar(.integer(0...Int64.max)), "Attempts that were retries."),
            .optional("elapsed", .scalar(.span), "From the start of the run, waits included."),
            .optional("active", .scalar(.span), "The sum over attempts."),
            .optional("cost", .scalar(.number), "The sum of the costs that steps report as `usage`."),
            .optional("tokens", .scalar(.integer(0...Int64.max)), "The sum of the tokens that steps report."),
        ]
            + ["cpu", "memory", "files", "processes"].map {
                .misplaced($0, "is what a process may use; it belongs to the `limits` of a step")
            })
}

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
        ]
            + Field.later(
                "on", "concurrency", "retry", "limits", "finally", "onFailure", "onPause", "failure", "suspend",
                "catch",
                "secrets", "hooks", "retention", "control"),
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
}

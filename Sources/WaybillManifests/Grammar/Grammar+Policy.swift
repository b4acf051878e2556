extension Grammar {
    static let policy = FieldTable(
        "a policy",
        [
            .required("kind", .scalar(.word(["Policy"])), "`Policy`."),
            .required("name", .scalar(.name), "The policy's name, unique in the tree."),
            .optional("match", .fields(match), "What the rules apply to; everything unless said."),
            .required("rules", .list(.fields(rule), atLeast: 1), "The rules, all of which must let a step pass."),
            .optional(
                "mode", .scalar(.word(["enforce", "warn", "audit"])),
                "`enforce` stops what is denied, `warn` and `audit` only record it."),
            .optional("binds", .scalar(.word(["start", "running"])), "`start`: the policy is frozen with a run."),
        ])

    private static let match = FieldTable(
        "`match`",
        [
            .optional("workflows", .fields(workflows), "The workflows."),
            .optional("steps", .fields(steps), "The steps in them."),
        ])

    private static let workflows = FieldTable(
        "`workflows`",
        [
            .optional("names", .list(.scalar(.name)), "Names of workflows."),
            .optional("labels", labels, "Labels a workflow must have, with these values."),
        ])

    private static let steps = FieldTable(
        "`steps`",
        [
            .optional("ids", .list(.scalar(.id)), "Ids of steps."),
            .optional("actions", .list(.scalar(.word(actionNames))), "Actions, such as `run`."),
        ])

    static let rulePoints = ["run.admit", "step.before", "step.after", "answer", "migrate"]

    private static let rule = FieldTable(
        "a rule",
        [
            .required("id", .scalar(.id), "The rule's id, unique in the policy."),
            .optional("at", .scalar(.word(rulePoints)), "When it is evaluated: `step.before`."),
            .optional("if", .scalar(.condition), "The rule applies only where this is true."),
            .optional("deny", .scalar(.condition), "The step is denied where this is true, or cannot be evaluated."),
            .optional("message", .scalar(.template), "What the people concerned are told."),
        ] + Field.later("require", "limit"),
        choices: [.init(names: ["deny", "require", "limit"], isRequired: true, what: "verdict")])

    static let settings = FieldTable(
        "settings",
        [
            .required("kind", .scalar(.word(["Settings"])), "`Settings`."),
            .optional("name", .scalar(.name), "`default`; a tree has one."),
            .optional("concurrency", .fields(concurrency), "How much may go on at once."),
            .optional(
                "env", .entries(key: .environmentName, .scalar(.argument)),
                "The environment that process steps start from."),
        ] + Field.later("secrets", "pools", "access", "control", "runs", "retention", "limits", "keys", "signers"))

    private static let concurrency = FieldTable(
        "`concurrency`",
        [
            .optional(
                "runs", .scalar(.integer(1...1_000_000)), "Runs that execute at once; waiting ones do not count."),
            .optional("steps", .scalar(.integer(1...10_000)), "Processes that run at once."),
        ])
}

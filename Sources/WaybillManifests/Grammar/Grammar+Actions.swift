extension Grammar {
    static let run = FieldTable(
        "`run`",
        [
            .optional("argv", .list(.scalar(.argument), atLeast: 1), "The program and its arguments, without a shell."),
            .optional("script", .scalar(.script), "Text for the shell, run with `-eu`."),
            .optional("shell", .scalar(.text), "An absolute path; `/bin/sh` unless said."),
            .optional("stdin", .templated, "Standard input: a text as it is, anything else as JSON."),
            .optional(
                "cwd", .scalar(.template), "The working directory below the tree's root, or `scratch` for an empty one."
            ),
            .optional(
                "successCodes", .list(.scalar(.integer(0...255)), atLeast: 1),
                "Exit codes that mean success; `[0]` unless said."),
        ],
        choices: [.init(names: ["argv", "script"], isRequired: true, what: "command")])

    static let ask = FieldTable(
        "`ask`",
        [
            .required("prompt", .scalar(.template), "The question."),
            .optional("schema", .schema, "A JSON Schema the answer must fit."),
            .optional("choices", .list(.scalar(.text), atLeast: 1), "The answers to choose from."),
            .optional("approval", .scalar(.flag), "The answer is `{approve: true}` or `{approve: false}`."),
            .optional("attach", .list(.scalar(.template)), "Files to show with the question."),
            .optional("timeout", .scalar(.span), "How long the question stays open."),
            .optional(
                "default", .templated, "The answer taken at the deadline; without one the step fails with `timeout`."),
            .optional("from", .fields(answerers), "Who may answer; anybody who can write to the inbox unless said."),
        ] + Field.later("remind"),
        choices: [.init(names: ["schema", "choices", "approval"], isRequired: false, what: "kind of answer")])

    static let snapshot = FieldTable(
        "`snapshot`",
        [
            .required("name", .scalar(.snapshotName), "What the bookmark is called."),
            .optional("description", .scalar(.template), "A sentence about it."),
            .optional("tags", .either([.list(.scalar(.template)), .scalar(.template)]), "Words to find it by."),
        ])

    static let fail = FieldTable("`fail`", [.required("message", .scalar(.template), "Why the run fails.")])

    static let finish = FieldTable(
        "`finish`",
        [
            .optional(
                "outputs", .either([.entries(key: .id, .templated), .scalar(.template)]),
                "They take the place of the workflow's outputs.")
        ])
}

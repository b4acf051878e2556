extension Grammar {
    static let http = FieldTable(
        "`http`",
        [
            .optional(
                "method", .scalar(.word(["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"])),
                "`GET` unless said."),
            .required("url", .scalar(.template), "Where to; `http://` or `https://`."),
            .optional(
                "query", .entries(key: .text, .either([.scalar(.argument), .fields(secretField)])),
                "Appended to the URL, percent-encoded; `{secret: name}` for what nobody may see."),
            .optional(
                "headers", .entries(key: .headerName, .either([.scalar(.argument), .fields(secretField)])),
                "Header fields; `{secret: name}` for one that nobody may see."),
            .optional(
                "json", .templated,
                "The body, as JSON; `{secret: name}` anywhere in it is a string that nobody may see."),
            .optional(
                "form", .entries(key: .text, .either([.scalar(.argument), .fields(secretField)])),
                "The body, as a web form sends it."),
            .optional("text", .either([.scalar(.template), .fields(secretField)]), "The body, as text."),
            .optional("file", .scalar(.template), "A file below the tree's root whose bytes are the body."),
            .optional("auth", .fields(authentication), "Who asks."),
            .optional("expect", .fields(expectation), "What counts as success."),
            .misplaced("timeout", "is a field of the step; write it beside `http`"),
        ],
        choices: [.init(names: ["json", "form", "text", "file"], isRequired: false, what: "body")])

    private static let authentication = FieldTable(
        "`auth`",
        [
            .optional("bearer", .fields(secretText), "A token (RFC 6750), from a secret."),
            .optional("basic", .fields(basic), "A user and a password (RFC 7617)."),
        ],
        choices: [.init(names: ["bearer", "basic"], isRequired: true, what: "scheme")])

    private static let basic = FieldTable(
        "`basic`",
        [
            .required("user", .scalar(.template), "The user's name, without a colon."),
            .required("password", .fields(secretText), "The password, from a secret."),
        ])

    private static let expectation = FieldTable(
        "`expect`",
        [
            .required(
                "status", .either([.list(.scalar(.status), atLeast: 1), .scalar(.status)]),
                "Statuses that mean success; `2xx` unless said.")
        ])

    static let emit = FieldTable(
        "`emit`",
        [
            .required("type", .scalar(.template), "The event's `type`."),
            .optional("key", .scalar(.template), "What waits look it up by."),
            .optional("subject", .scalar(.template), "What the event is about."),
            .optional("data", .templated, "What it says."),
        ])

    static let call = FieldTable(
        "`call`",
        [
            .required(
                "workflow", .scalar(.name), "The workflow's name, literally: what a run calls is frozen with it."),
            .optional("with", .entries(key: .id, .templated), "The inputs of the sub-run."),
            .optional("id", .scalar(.template), "The sub-run's id; derived from the step's unless said."),
            .optional("detach", .scalar(.boolean), "Whether the step completes once the sub-run has started."),
        ])
}

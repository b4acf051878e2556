extension Grammar {
    static let wait = FieldTable(
        "`wait`",
        [
            .optional("for", .scalar(.durationTemplate), "A duration from the start of the wait."),
            .optional(
                "until", .either([.scalar(.timeTemplate), .fields(until)]),
                "A time in RFC 3339, or the next one a cron expression names."),
            .optional("event", .fields(event), "The first event that fits; it is the step's output."),
            .optional("job", .fields(job), "Something that runs elsewhere and is asked about now and then."),
        ],
        choices: [.init(names: ["for", "until", "event", "job"], isRequired: true, what: "time")])

    static let first = Shape.entries(key: .id, .fields(branch), atLeast: 1)

    private static let branch = FieldTable(
        "a branch of `first`",
        wait.selected(["for", "until", "event"]) + [
            .optional("ask", .fields(ask), "A question, answered by a file in the run's inbox."),
            .misplaced("job", "cannot be one of several waits; give it a step of its own"),
        ],
        choices: [.init(names: ["for", "until", "event", "ask", "job"], isRequired: true, what: "wait")])

    private static let until = FieldTable(
        "`until`",
        [
            .required("next", .scalar(.text), "A cron expression; the next time it names."),
            .optional("timezone", .scalar(.zone), "An IANA name; `UTC` unless said."),
        ])

    private static let event = FieldTable(
        "`event`",
        [
            .required("type", .scalar(.text), "The event's `type`, literally."),
            .optional("key", .scalar(.template), "Must equal the event's `key`; tested before `match`."),
            .optional("match", .scalar(.condition), "A condition that sees the event as `event`."),
            .optional(
                "since", .scalar(.word(["run", "wait"])),
                "`run`: events since the run's start count; `wait`: those that come while the step waits."),
        ])

    private static let job = FieldTable(
        "`job`",
        [
            .required("handle", .scalar(.template), "What names the job there."),
            .required("poll", .fields(poll), "The process or the request that asks how the job stands."),
            .required("every", .scalar(.spanTemplate), "How long to wait between two polls."),
        ])

    private static let poll = FieldTable(
        "`poll`",
        [
            .optional(
                "run", processShape,
                "Exit code 0: the job is done; 75: it goes on; any other: it failed. Its handle is in WAYBILL_JOB_HANDLE."
            ),
            .optional("http", .fields(http), "Status 200: the job is done; 202: it goes on; any other: it failed."),
            .optional(
                "timeout", .scalar(.span),
                "The longest time a poll may take, a minute or for `http` 30s unless said; never more than is left of the wait."
            ),
            .optional("limits", .fields(processLimits), for: ["run"], "What its processes may use of the machine."),
        ],
        choices: [.init(names: ["run", "http"], isRequired: true, what: "action")])
}

extension Grammar {
    /// The fields of a capability that are those of a step.
    static let capabilityStepFields = [
        "run", "http", "env", "secrets", "timeout", "limits", "retry", "compensate", "onUnknown", "sideEffects",
        "artifacts",
        "verify",
    ]

    static let capability = FieldTable(
        "a capability",
        [
            .required("kind", .scalar(.word(["Capability"])), "`Capability`."),
            .required("name", .scalar(.name), "The capability's name; several versions of one name may stand."),
            .required("version", .scalar(.version), "Its version, as Semantic Versioning counts."),
            .optional(
                "inputs", .entries(key: .id, .schema),
                "What `with` must give: a JSON Schema for each input. Required unless it has a `default`."),
            .optional(
                "output", .schema,
                "A JSON Schema its output must fit. A process prints JSON then; of a request it is `{status, headers, body}`."
            ),
        ] + capabilityStepFields.compactMap(step.field) + [
            .misplaced("with", "belongs to the step that uses the capability"),
            .misplaced("uses", "belongs to a step; a capability has `run` or `http`"),
        ],
        choices: [.init(names: ["run", "http"], isRequired: true, what: "action")])
}

extension Grammar {
    /// A step's `secrets`.
    static let secrets = Shape.entries(key: .environmentName, .either([.scalar(.name), .fields(secretBinding)]))

    private static let secretBinding = FieldTable(
        "a secret",
        [
            .required("name", .scalar(.name), "The name of a secret from the settings."),
            .optional(
                "as", .scalar(.word(["environment", "descriptor"])),
                "Whether the variable has the secret, or the path of a descriptor with it; `environment` unless said."),
        ])

    /// One of `Settings.secrets`.
    static let secretSource = FieldTable(
        "a secret",
        [
            .optional("file", .scalar(.text), "A file that its owner alone may read; absolute, or below the tree."),
            .optional("env", .scalar(.environmentName), "A variable in the environment of the daemon."),
            .optional("credential", .scalar(.text), "A credential of systemd: a file in CREDENTIALS_DIRECTORY."),
            .optional(
                "command", .list(.scalar(.text), atLeast: 1), "A program and its arguments; it prints the secret."),
        ],
        choices: [.init(names: ["file", "env", "credential", "command"], isRequired: true, what: "source")])

    /// In the place of a text that nobody may see.
    static let secretText = FieldTable(
        "a secret", [.required("secret", .scalar(.name), "The name of a secret from the settings.")])

    static let secretField = FieldTable(
        "a secret",
        secretText.fields + [.optional("prefix", .scalar(.text), "What stands before the secret, such as `ApiKey `.")])
}

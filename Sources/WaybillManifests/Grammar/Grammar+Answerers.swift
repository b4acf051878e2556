extension Grammar {
    /// Of a question.
    static let answerers = FieldTable("`from`", people + [quorum, notStarter, notBy, ownUser])

    /// Of a policy's approval, which knows no steps by name.
    static let approvers = FieldTable(
        "`from`",
        people + [
            quorum, notStarter,
            .misplaced("notBy", "belongs to an `ask`: a policy knows no steps of a workflow"), ownUser,
        ])

    /// Of control files, each of which stands for itself.
    static let controllers = FieldTable(
        "`from`",
        people + [
            .misplaced("quorum", "counts approvals; a control file counts at once"), notStarter,
            .misplaced("notBy", "belongs to an `ask`"), ownUser,
        ])

    static let control = FieldTable(
        "`control`",
        [
            .required(
                "from", .fields(controllers), "Who may cancel, pause, resume, retry and snapshot by control files.")
        ])

    private static let people: [Field] = [
        .optional(
            "users", .list(.scalar(.person), atLeast: 1),
            "Login names, or `uid:1000`: whoever owns the answer's file."),
        .optional("groups", .list(.scalar(.person), atLeast: 1), "Groups of the machine that the file's owner is in."),
        .optional(
            "signers", .list(.scalar(.text), atLeast: 1),
            "Principals of the `allowed_signers` file that the settings name, who sign with `ssh-keygen -Y sign`."),
    ]
    private static let quorum = Field.optional(
        "quorum", .scalar(.integer(1...100)), "How many different people must approve; one refusal refuses.")
    private static let notStarter = Field.optional(
        "notStarter", .scalar(.boolean), "Whoever started the run may not answer.")
    private static let notBy = Field.optional(
        "notBy", .list(.scalar(.id), atLeast: 1), "Steps: whoever answered one of them may not answer this one.")
    private static let ownUser = Field.optional(
        "self", .scalar(.boolean),
        "The user that Waybill runs as may answer as well, and so may every step; never unless said.")
}

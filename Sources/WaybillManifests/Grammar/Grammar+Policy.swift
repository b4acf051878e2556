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
            .optional(
                "binds", .scalar(.word(["start", "running"])),
                "`start`: the policy is frozen with a run; `running`: it also applies to runs that have started."),
            .optional("tests", .list(.fields(policyCase)), "Cases for `waybill policy test`."),
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
            .optional("actions", .list(.scalar(.word(actionNames + ["forEach"]))), "Actions, such as `run`."),
        ])

    static let rulePoints = PolicyRule.Point.allCases.map(\.rawValue)

    private static let rule = FieldTable(
        "a rule",
        [
            .required("id", .scalar(.id), "The rule's id, unique in the policy."),
            .optional(
                "at", .scalar(.word(rulePoints)),
                "When it is evaluated: at admission, before or after a step, on an answer, at a migration."),
            .optional("if", .scalar(.condition), "The rule applies only where this is true."),
            .optional("deny", .scalar(.condition), "Denied where this is true, or cannot be evaluated."),
            .optional("require", .fields(requirement), "What must be so before it goes on."),
            .optional(
                "limit", .fields(budget), "A budget of the run: it warns at 80 % and stops the run at 100 %."),
            .optional("message", .scalar(.template), "What the people concerned are told."),
        ],
        choices: [.init(names: ["deny", "require", "limit"], isRequired: true, what: "verdict")])

    private static let requirement = FieldTable(
        "`require`",
        [
            .optional(
                "approval", .fields(approval), "Somebody must approve the step first, or at `run.admit` the run."),
            .optional("verification", .list(.scalar(.condition), atLeast: 1), "Conditions that must all be true."),
        ],
        choices: [.init(names: ["approval", "verification"], isRequired: true, what: "requirement")])

    private static let approval = FieldTable(
        "`approval`",
        [
            .optional("prompt", .scalar(.template), "The question."),
            .optional("timeout", .scalar(.span), "How long it stays open; after that it is denied."),
            .optional("from", .fields(approvers), "Who may approve; anybody who can write to the inbox unless said."),
        ])

    private static let budget = FieldTable("`limit`", limits.fields)

    /// What a case may give.
    static let givenNames = given.fields.map(\.name)

    private static let policyCase = FieldTable(
        "a case",
        [
            .required("name", .scalar(.text), "What the case is about, unique in the policy."),
            .required("at", .scalar(.word(rulePoints)), "The point the rules are put to."),
            .optional("given", .fields(given), "What the rules see; what is not given is empty."),
            .required("expect", .scalar(.word(["allow", "deny", "require"])), "The verdict."),
            .optional("rule", .scalar(.id), "The rule that must be the one to say so."),
        ])

    private static let given = FieldTable(
        "`given`",
        [
            .optional("step", .fields(givenStep), "The step."),
            .optional("run", .entries(key: .id, .literal), "The run."),
            .optional("inputs", .entries(key: .id, .literal), "The run's inputs."),
            .optional("context", .entries(key: .id, .literal), "The workflow's context."),
            .optional("output", .literal, "The step's output."),
            .optional("answer", .literal, "The answer."),
        ])

    private static let givenStep = FieldTable(
        "`step`",
        [
            .optional("id", .scalar(.text), "Its address."),
            .optional("action", .scalar(.word(actionNames)), "Its action."),
            .optional("capability", .literal, "The capability it resolves to, `name@1.2.0`, or null."),
            .optional("sideEffects", .scalar(.word(["pure", "idempotent", "effect"])), "What it does to the world."),
            .optional("argv", .list(.literal), "The process's arguments."),
            .optional("shell", .scalar(.boolean), "Whether a shell interprets it."),
            .optional("with", .entries(key: .text, .literal), "The inputs of a capability or a called workflow."),
            .optional("http", .literal, "The request."),
            .optional("env", .entries(key: .text, .literal), "The process's environment."),
            .optional("secrets", .list(.scalar(.text)), "The names of the secrets it gets."),
        ])

    static let settings = FieldTable(
        "settings",
        [
            .required("kind", .scalar(.word(["Settings"])), "`Settings`."),
            .optional("name", .scalar(.name), "`default`; a tree has one."),
            .optional("concurrency", .fields(concurrency), "How much may go on at once."),
            .optional(
                "env", .entries(key: .environmentName, .scalar(.argument)),
                "The environment that process steps start from."),
            .optional(
                "pools", .entries(key: .name, .scalar(.integer(1...1_000_000))),
                "How many attempts of steps that name a pool run at once."),
            .optional("keys", .fields(keys), "What history is signed with, and whose signatures count."),
            .optional("access", .fields(access), "Who else may reach the inboxes."),
            .optional(
                "control", .fields(control), "Who may control runs; anybody who can write to the inbox unless said."),
            .optional(
                "signers", .scalar(.path),
                "The `allowed_signers` file, in the form git and ssh-keygen read, relative to the tree's root."),
            .optional(
                "secrets", .entries(key: .name, .fields(secretSource)),
                "Where secrets come from, by the name that steps use."),
            .optional(
                "sandbox", .scalar(.word(["off", "standard", "strict"])),
                "Which steps cannot change `runs/`, `workflows/`, `hooks/` and `.waybill/`: none (unless said), those that do not begin in the tree's root, or all, which then make nothing right in the root."
            ),
        ] + Field.later("runs", "retention", "limits"))

    private static let keys = FieldTable(
        "`keys`",
        [
            .optional(
                "sign", .scalar(.text),
                "The private key's file, which only its owner may read: `waybill keys generate`."),
            .optional("trust", .list(.scalar(.text)), "Files of public keys, in OpenSSH's format."),
        ])

    private static let access = FieldTable(
        "`access`",
        [
            .required(
                "group", .scalar(.person), "A group of the machine that may see questions and drop files into inboxes.")
        ])

    private static let concurrency = FieldTable(
        "`concurrency`",
        [
            .optional(
                "runs", .scalar(.integer(1...1_000_000)), "Runs that execute at once; waiting ones do not count."),
            .optional("steps", .scalar(.integer(1...10_000)), "Processes that run at once."),
        ])
}

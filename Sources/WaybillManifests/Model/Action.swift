package import WaybillCore
package import WaybillExpressions

/// What a step does; exactly one per step.
package indirect enum Action: Sendable {
    case run(RunAction)
    case http(HTTPAction)
    case ask(AskAction)
    case wait(WaitAction)
    /// Several waits; the first that ends wins, and the output is `{first, value}`.
    case first([FirstBranch])
    case emit(EmitAction)
    /// Another workflow, as a run of its own.
    case call(CallAction)
    /// A group: a graph of its own, done when all its steps are settled. Its output holds the outputs of its steps.
    case steps(Plan)
    /// A capability.
    case uses(UseAction)
    /// One action or group, once for each item of a list. `forEach` is a modifier in manifests and wraps the action here.
    case forEach(ForEachAction)
    /// The map is the step's output.
    case set(Template)
    case snapshot(SnapshotAction)
    case fail(message: Template)
    /// Completes the run early; the outputs take the place of the workflow's own.
    case finish(outputs: Template?)

    /// The field's name in a manifest.
    package var name: String {
        switch self {
        case .run: "run"
        case .http: "http"
        case .ask: "ask"
        case .wait: "wait"
        case .first: "first"
        case .emit: "emit"
        case .call: "call"
        case .steps: "steps"
        case .uses: "uses"
        case .forEach: "forEach"
        case .set: "set"
        case .snapshot: "snapshot"
        case .fail: "fail"
        case .finish: "finish"
        }
    }
}

extension Action {
    /// What a step asks people.
    package var questions: [AskAction] {
        switch self {
        case .ask(let question): [question]
        case .first(let branches):
            branches.compactMap { if case .ask(let question) = $0.kind { question } else { nil } }
        default: []
        }
    }
}

/// A process: an argv without a shell, or a script.
package struct RunAction: Sendable {
    package enum Command: Sendable {
        /// One template for each argument.
        case argv([Template])
        /// Text for `<shell> -eu -c`, free of `${{ }}`.
        case script(String, shell: String)
    }
    package enum WorkingDirectory: Sendable {
        case tree
        /// An empty directory of the attempt's own.
        case scratch
        /// Relative to the tree's root.
        case path(Template)
    }

    package var command: Command
    /// A string is passed as it is, anything else as JSON.
    package var standardInput: Template?
    package var workingDirectory: WorkingDirectory
    package var successCodes: [Int]

    package init(
        command: Command, standardInput: Template? = nil, workingDirectory: WorkingDirectory = .tree,
        successCodes: [Int] = [0]
    ) {
        self.command = command
        self.standardInput = standardInput
        self.workingDirectory = workingDirectory
        self.successCodes = successCodes
    }
}

/// A question to a person or a program, answered by a file.
package struct AskAction: Sendable {
    package enum Reply: Sendable {
        case any
        case schema(JSONSchema, Value)
        case choices([String])
        /// `{"approve": true}` with an optional `comment`.
        case approval
    }

    package var prompt: Template
    package var reply: Reply
    package var attachments: [Template]
    /// The answer taken at the deadline; nil: the step fails with `timeout`.
    package var defaultAnswer: Template?
    /// Who may answer; nil: anybody who can write to the inbox.
    package var from: AnswererRule?

    package init(
        prompt: Template, reply: Reply, attachments: [Template] = [], defaultAnswer: Template? = nil,
        from: AnswererRule? = nil
    ) {
        self.from = from
        self.prompt = prompt
        self.reply = reply
        self.attachments = attachments
        self.defaultAnswer = defaultAnswer
    }
}

/// A wait for the clock, an event or a job.
package enum WaitAction: Sendable {
    /// The template gives a duration.
    case duration(Template)
    /// The template gives an RFC 3339 time.
    case until(Template)
    /// The next time a cron expression names.
    case next(CronWait)
    case event(EventWait)
    case job(JobWait)
}

/// A bookmark of the run.
package struct SnapshotAction: Sendable {
    package var name: Template
    package var description: Template?
    package var tags: Template?

    package init(name: Template, description: Template? = nil, tags: Template? = nil) {
        self.name = name
        self.description = description
        self.tags = tags
    }
}

import ArgumentParser

/// `waybill`: all commands.
struct WaybillCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "waybill",
        abstract: "Durable workflows out of a directory.",
        discussion: """
            You commit YAML, a daemon reconciles it, every run is a folder, and a run goes on the moment an answer file \
            lands in its inbox.

            Exit codes: 0 done, 1 failed, 2 usage or invalid manifest, 3 waiting, 4 cancelled, 75 try again.
            """,
        version: Version.current,
        groupedSubcommands: [
            CommandGroup(
                name: "Write",
                subcommands: [
                    InitCommand.self, ValidateCommand.self, ExplainCommand.self, TestCommand.self, PolicyCommand.self,
                    SchemaCommand.self, EvalCommand.self, GraphCommand.self,
                ]),
            CommandGroup(
                name: "Run", subcommands: [RunCommand.self, DaemonCommand.self, ReconcileCommand.self]),
            CommandGroup(
                name: "Look",
                subcommands: [
                    ListCommand.self, ShowCommand.self, WaitsCommand.self, LogsCommand.self, SnapshotsCommand.self,
                    EventsCommand.self, VerifyCommand.self, SecretsCommand.self, DoctorCommand.self,
                    RepairCommand.self, KeysCommand.self,
                ]),
            CommandGroup(
                name: "Answer and control",
                subcommands: [
                    AnswerCommand.self, ApproveCommand.self, RejectCommand.self, CancelCommand.self,
                    PauseCommand.self, ResumeCommand.self, RetryCommand.self, SnapshotCommand.self, EmitCommand.self,
                    EraseCommand.self,
                ]),
        ])

    /// Of all commands.
    static var names: [String] {
        ["help"] + configuration.groupedSubcommands.flatMap(\.subcommands).compactMap { $0.configuration.commandName }
    }

    // Also before the command: `CommandLineTool` moves them behind it. Declared here for help and completion.
    @OptionGroup var options: GlobalOptions
}

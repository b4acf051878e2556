import ArgumentParser
import WaybillCore
import WaybillEngine
import WaybillRuntime
import WaybillStore

struct CancelCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "cancel", abstract: "End a run before it is done.",
        discussion: "Its processes are asked to end, and killed after a grace; a second cancel kills at once.")

    @OptionGroup var options: GlobalOptions
    @OptionGroup var arguments: ControlArguments

    func run() async throws { try await arguments.drop(.cancel, done: "cancelled", options) }
}

struct PauseCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "pause", abstract: "Start nothing new in a run until it is resumed.",
        discussion: "Steps that run are let end. Deadlines that pass meanwhile count at the resume.")

    @OptionGroup var options: GlobalOptions
    @OptionGroup var arguments: ControlArguments

    func run() async throws { try await arguments.drop(.pause, done: "asked to pause", options) }
}

struct ResumeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "resume", abstract: "Let a paused run go on.")

    @OptionGroup var options: GlobalOptions
    @OptionGroup var arguments: ControlArguments

    func run() async throws { try await arguments.drop(.resume, done: "resumed", options) }
}

struct RetryCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "retry", abstract: "Try the failed step of a held run again.",
        discussion: "With `failure: hold` a run stands still after a failure, until it is retried or cancelled.")

    @OptionGroup var options: GlobalOptions
    @OptionGroup var arguments: ControlArguments

    func run() async throws { try await arguments.drop(.retry, done: "asked to try again", options) }
}

struct SnapshotCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "snapshot", abstract: "Bookmark a run as it stands.")

    @OptionGroup var options: GlobalOptions
    @OptionGroup var arguments: ControlArguments
    @Option(help: "The snapshot's name, one to a run.")
    var name: String
    @Option(help: "What it is about.")
    var description: String?
    @Option(help: "A tag; may be repeated.")
    var tag: [String] = []

    func run() async throws {
        var body: Object = ["name": .string(name)]
        if let description { body["description"] = .string(description) }
        if !tag.isEmpty { body["tags"] = .list(tag.map(Value.string)) }
        // A name that was taken before got a number.
        try await arguments.drop(.snapshot, body, options, entryType: .snapshot) { entry in
            "took the snapshot \(entry?.data["name"]?.stringValue ?? name)"
        }
    }
}

/// What all commands take that drop a control file.
struct ControlArguments: ParsableArguments {
    @Argument(help: "The run's id, or the beginning of it.", completion: .custom(Completions.runs))
    var run: String
    @Option(help: "Why, kept in the ledger.")
    var reason: String?

    func drop(_ kind: ControlKind, done: String, _ options: GlobalOptions) async throws {
        try await drop(kind, Object(), options, entryType: nil) { _ in done }
    }

    func drop(
        _ kind: ControlKind, _ body: Object, _ options: GlobalOptions, entryType: EntryType?, done: (Entry?) -> String
    ) async throws {
        let tree = try options.tree()
        let folder = try tree.run(named: run)
        let glance = GlanceReader(tree).glance(folder)
        if glance.isEnded {
            throw CommandError("ended", "\(folder.run) is \(glance.status) already", hint: "nothing was changed")
        }
        var body = body
        if let reason { body["reason"] = .string(reason) }
        let delivery = Delivery(
            tree: tree, folder: folder, key: kind.key, bytes: Envelope.bytes(.object(body), token: glance.controlToken),
            what: "@\(kind.rawValue)")
        try await delivery.carryOut(options.console, entryType: entryType, done: done)
    }
}

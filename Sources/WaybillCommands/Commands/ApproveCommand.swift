import ArgumentParser
import WaybillCore
import WaybillRuntime

struct ApproveCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "approve", abstract: "Say yes to an approval.",
        discussion: "Exits 0 once the answer is accepted for good, and 1 with the reason if it is rejected.")

    @OptionGroup var options: GlobalOptions
    @OptionGroup var arguments: ApprovalArguments

    func run() async throws { try await arguments.answer(approve: true, options) }
}

struct RejectCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "reject", abstract: "Say no to an approval.",
        discussion: "Exits 0 once the answer is accepted for good, and 1 with the reason if it is rejected.")

    @OptionGroup var options: GlobalOptions
    @OptionGroup var arguments: ApprovalArguments

    func run() async throws { try await arguments.answer(approve: false, options) }
}

/// What `approve` and `reject` take.
struct ApprovalArguments: ParsableArguments {
    @Argument(help: "The run's id, or the beginning of it.", completion: .custom(Completions.runs))
    var run: String
    @Argument(help: "The approval's key; not needed where only one is open.")
    var key: String?
    @Option(help: "Why, kept with the answer.")
    var comment: String?

    func answer(approve: Bool, _ options: GlobalOptions) async throws {
        let tree = try options.tree()
        let folder = try tree.run(named: run)
        let wait = try Questions(tree: tree, folder: folder).approval(key)
        var answer: Object = ["approve": .bool(approve)]
        if let comment { answer["comment"] = .string(comment) }
        let word = approve ? "approved" : "refused"
        let delivery = Delivery(
            tree: tree, folder: folder, key: wait.key, bytes: Envelope.bytes(.object(answer), for: wait),
            what: "the answer to \(wait.key)")
        try await delivery.carryOut(options.console, done: { _ in "\(word) \(wait.key)" })
    }
}

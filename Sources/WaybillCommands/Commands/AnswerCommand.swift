import ArgumentParser
import WaybillCore
import WaybillRuntime
import WaybillStore

struct AnswerCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "answer", abstract: "Answer a question of a run.",
        discussion: """
            The answer goes into the run's inbox as a file, with the question's token, so that it can answer nothing else. \
            Where the question says who may answer, the file is yours and nobody else can write it. Exits 0 once it is \
            accepted for good, and 1 with the reason if it is rejected.
            """)

    @OptionGroup var options: GlobalOptions
    @Argument(
        help: ArgumentHelp("The run's id, or the beginning of it.", valueName: "run"),
        completion: .custom(Completions.runs))
    var runName: String
    @Argument(help: "The question's key; `waybill waits` shows it.")
    var key: String
    @Argument(help: "The answer: text for choices and approvals and where a text is wanted, JSON or YAML otherwise.")
    var value: String?
    @Option(help: "The answer as text.")
    var text: String?
    @Option(help: ArgumentHelp("The answer as JSON.", valueName: "json"))
    var jsonValue: String?
    @Option(
        help: ArgumentHelp(
            "The answer in a .json, .yaml or text file, or - for text on the standard input.", valueName: "file"),
        completion: .file())
    var file: String?

    func validate() throws {
        let given = [value, text, jsonValue, file].compactMap { $0 }
        if given.count != 1 {
            throw ValidationError("Give the answer in one way: as an argument, --text, --json-value or --file.")
        }
    }

    func run() async throws {
        let tree = try options.tree()
        let folder = try tree.run(named: runName)
        let wait = try Questions(tree: tree, folder: folder).question(key)
        let delivery = Delivery(
            tree: tree, folder: folder, key: wait.key, bytes: Envelope.bytes(try answer(to: wait), for: wait),
            what: "the answer to \(wait.key)")
        try await delivery.carryOut(options.console, done: { _ in "answered \(wait.key)" })
    }

    private func answer(to wait: OpenWait) throws(CommandError) -> Value {
        if let text { return .string(text) }
        if let jsonValue {
            do throws(JSONError) {
                return try JSON.parse(jsonValue)
            } catch {
                throw CommandError(error, in: "--json-value")
            }
        }
        if let value {
            if wait.choices != nil || wait.isApproval { return .string(value) }
            return try InputReader.value(value, schema: wait.schema, option: "the answer")
        }
        let path = file ?? "-"
        let isText = !["json", "yaml", "yml"].contains { path.hasSuffix(".\($0)") }
        guard isText else { return try InputReader.value(ofFile: path) }
        guard var text = String(validating: try InputReader.bytes(ofFile: path), as: UTF8.self) else {
            throw .usage("--file: \(path) is not UTF-8")
        }
        if text.utf8.last == UInt8(ascii: "\n") { text.removeLast() }
        return .string(text)
    }
}

/// The form in which commands send answers, and control files where those are restricted: bound by a token to one
/// question, or to the run as it stands.
enum Envelope {
    static func bytes(_ answer: Value, for wait: OpenWait) -> [UInt8] { bytes(answer, token: wait.token) }

    static func bytes(_ answer: Value, token: String?) -> [UInt8] {
        guard let token else { return JSON.pretty(answer) }
        return JSON.pretty(["token": .string(token), "answer": answer])
    }
}

/// The questions that are open in a run.
struct Questions {
    let tree: Tree
    let folder: RunFolder

    /// The question with this key.
    func question(_ key: String) throws(CommandError) -> OpenWait {
        let questions = try open()
        if let wait = questions.first(where: { $0.key == key }) { return try unsigned(wait) }
        throw notFound("\(folder.run) asks nothing with the key '\(key)'", key, questions)
    }

    /// The approval with this key, or the only one that is open.
    func approval(_ key: String?) throws(CommandError) -> OpenWait {
        let questions = try open()
        let approvals = questions.filter(\.isApproval)
        if let key {
            if let wait = approvals.first(where: { $0.key == key }) { return try unsigned(wait) }
            if questions.contains(where: { $0.key == key }) {
                throw CommandError(
                    "unknown-wait", "\(key) is no approval", place: folder.run.text,
                    hint: "`waybill answer \(folder.run) \(key) ...` answers it")
            }
            throw notFound("\(folder.run) asks for no approval with the key '\(key)'", key, approvals)
        }
        if approvals.count == 1 { return try unsigned(approvals[0]) }
        if approvals.isEmpty { throw notFound("no approval is open in \(folder.run)", "", questions) }
        throw CommandError(
            "ambiguous-wait", "\(approvals.count) approvals are open in \(folder.run)",
            hint: "say which one: \(approvals.map(\.key).joined(separator: ", "))", status: .usage)
    }

    /// A question that a command can answer: one that takes signatures alone would refuse what it sends.
    private func unsigned(_ wait: OpenWait) throws(CommandError) -> OpenWait {
        guard let from = wait.from, from["signers"] != nil, from["users"] == nil, from["groups"] == nil else {
            return wait
        }
        throw CommandError(
            "signature", "\(wait.key) takes signed answers alone", place: folder.run.text,
            hint: wait.object["sign"]?.stringValue.map {
                "write {\"token\": ..., \"answer\": ...} to \(wait.key).json, then: \($0)"
            })
    }

    private func open() throws(CommandError) -> [OpenWait] {
        let reader = GlanceReader(tree)
        let glance = reader.glance(folder)
        if let problem = glance.problem { throw CommandError("unreadable", problem, place: folder.run.text) }
        if glance.isEnded {
            throw CommandError("ended", "\(folder.run) is \(glance.status): it asks nothing any more")
        }
        return reader.waits(folder).filter(\.isQuestion)
    }

    private func notFound(_ message: String, _ key: String, _ questions: [OpenWait]) -> CommandError {
        let keys = questions.map(\.key)
        let open = keys.isEmpty ? "no question is open" : "open: \(keys.joined(separator: ", "))"
        return CommandError("unknown-wait", message, hint: Suggestion.hint(for: key, among: keys) ?? open)
    }
}

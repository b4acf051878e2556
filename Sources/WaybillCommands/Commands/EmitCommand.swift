import ArgumentParser
import SystemPackage
import WaybillCore
import WaybillEngine
import WaybillManifests
import WaybillPorts
import WaybillRuntime
import WaybillStore

struct EmitCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "emit", abstract: "Send an event to all runs that wait for it.",
        discussion: """
            The event is a CloudEvent 1.0. Exits 0 once it is in the journal for good, and prints its number there. With \
            --id the same event may be sent again and again: it counts once; another event with the same --source and --id \
            is refused.
            """)

    @OptionGroup var options: GlobalOptions
    @Option(help: "What happened, such as tag.pushed: waits and triggers name it.")
    var type: String
    @Option(help: "Who says so: a URI or a path.")
    var source = "waybill:emit"
    @Option(help: "Tells the event from others of its source; a random one if not given.")
    var id: String?
    @Option(help: "The extension attribute `key`, such as an order's number: waits may ask for it.")
    var key: String?
    @Option(help: "What it happened to.")
    var subject: String?
    @Option(help: ArgumentHelp("The event's data, as JSON or YAML.", valueName: "json"))
    var data: String?
    @Option(
        help: ArgumentHelp("Data from a JSON or YAML file, or - for the standard input.", valueName: "file"),
        completion: .file())
    var dataFile: String?

    func validate() throws {
        if data != nil, dataFile != nil { throw ValidationError("Give the data in one way: --data or --data-file.") }
    }

    func run() async throws {
        let tree = try options.tree()
        let event = try event()
        let acceptance = try await EventDelivery(tree: tree, event: event).deliver()
        var result: Object = [
            "seq": .int(Int64(acceptance.seq)), "id": .string(event.id), "source": .string(event.source),
            "type": .string(event.type),
        ]
        switch acceptance {
        case .accepted:
            result["isNew"] = true
            options.console.print(.object(result), text: "event \(event.id) accepted (entry \(acceptance.seq))")
        case .duplicate:
            result["isNew"] = false
            options.console.print(
                .object(result), text: "event \(event.id) was accepted before (entry \(acceptance.seq))")
        case .conflict(let seq):
            throw CommandError(
                "conflict",
                "another event with source '\(event.source)' and id '\(event.id)' was accepted as entry \(seq)",
                hint: "take another --id; `waybill events --json` shows the other event")
        }
        if !tree.hasDaemon {
            options.console.note("no daemon works here: runs take it at the next `waybill reconcile`")
        }
    }

    private func event() throws(CommandError) -> CloudEvent {
        var object: Object = [
            "specversion": "1.0", "type": .string(type), "source": .string(source),
            "id": .string(id ?? Self.randomID()),
        ]
        if let key { object["key"] = .string(key) }
        if let subject { object["subject"] = .string(subject) }
        if let data { object["data"] = try InputReader.value(data, schema: nil, option: "--data") }
        if let dataFile { object["data"] = try InputReader.value(ofFile: dataFile) }
        do throws(CloudEventError) {
            return try CloudEvent(.object(object))
        } catch {
            throw CommandError(error.kind.rawValue, error.message, status: .usage)
        }
    }

    /// 128 random bits.
    private static func randomID() -> String {
        let halves = (0..<2).map { _ in String(UInt64.random(in: 0 ... .max), radix: 16) }
        return halves.map { String(repeating: "0", count: 16 - $0.utf8.count) + $0 }.joined()
    }
}

/// Brings an event into the journal: through the daemon's door, or directly where there is no daemon.
struct EventDelivery: Sendable {
    let tree: Tree
    let event: CloudEvent

    /// - Throws: ``CommandError``, with `tryAgain` if the daemon does not take it.
    func deliver() async throws -> EventAcceptance {
        if let known = try tree.events.find(event) { return known }
        guard tree.hasDaemon else {
            let submission = EventSubmission(event, actor: .user, by: tree.user)
            let acceptances = try tree.events.accept([submission], at: tree.clock.now())
            guard let acceptance = acceptances.first else {
                throw CommandError("internal", "the journal says nothing of the event")
            }
            return acceptance
        }
        return try await dropAndWait()
    }

    private func dropAndWait() async throws -> EventAcceptance {
        guard let inbox = try tree.runsDirectory.openDirectory("inbox") else {
            throw CommandError("no-tree", "runs/inbox is gone")
        }
        // No dot in the stem: that would make it an answer.
        let name = "event--\(String(UInt64.random(in: 0 ... .max), radix: 36)).json"
        try Mailbox.drop(name, JSON.pretty(event.value), into: inbox)
        let outcome = try await Patience.poll(limit: Patience.forDaemon) { () -> EventAcceptance? in
            if let refusal = try Receipts(inbox).rejected(name) { throw refusal.error(about: "the event") }
            guard try inbox.status(FilePath(name)) == nil, let found = try tree.events.find(event) else { return nil }
            // It was not known before, so this is our file; and a conflict has a receipt.
            guard case .duplicate(let seq) = found else { return nil }
            return .accepted(seq: seq)
        }
        if let outcome { return outcome }
        throw CommandError(
            "busy", "the daemon has not taken the event in \(Text.span(Patience.forDaemon))",
            place: "runs/inbox/\(name)", hint: "the file stays there, and is accepted as soon as a daemon reads it",
            status: .tryAgain)
    }
}

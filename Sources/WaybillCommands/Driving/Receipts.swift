import SystemPackage
import WaybillCore
import WaybillEngine
import WaybillPorts

/// What became of a file that was dropped into an inbox, as the receipt beside it says.
struct DropReceipt: Sendable {
    let object: Object

    var isAccepted: Bool { object["verdict"]?.stringValue == "accepted" }
    var kind: String { object["kind"]?.stringValue ?? "rejected" }
    var message: String { object["message"]?.stringValue ?? "it was rejected" }
    var seq: Int? { object["seq"]?.intValue.map(Int.init) }

    /// Why an answer or a control file was not taken.
    func error(about what: String) -> CommandError {
        CommandError(
            kind, "\(what) was rejected: \(message)", hint: "the file is kept in inbox/rejected/, beside the reason")
    }

    /// Why a start request was not taken.
    var startError: CommandError {
        let isConflict = kind == "conflict"
        return CommandError(
            kind, message, hint: isConflict ? "take another --id, or the inputs it was started with" : nil,
            status: isConflict || kind == "policy" || kind == "skipped" ? .failed : .usage)
    }
}

/// Finds receipts in an inbox.
struct Receipts {
    private static let listLimit = 1_000_000
    private static let fileLimit = 1 << 20
    private let inbox: any Directory

    init(_ inbox: any Directory) { self.inbox = inbox }

    /// The receipt of a rejected file with this name, which nobody else used.
    func rejected(_ name: String) throws(FileSystemError) -> DropReceipt? {
        try newest(in: "rejected", ending: "\(name).reason.json") { $0["file"]?.stringValue == name }
    }

    /// The receipt of an accepted file: by its name, or, where the same bytes were accepted before, by its digest.
    func accepted(_ name: String, key: String, digest: Digest) throws(FileSystemError) -> DropReceipt? {
        let named = try newest(in: "accepted", ending: ".reason.json") { $0["file"]?.stringValue == name }
        // The same control file twice is two requests; the same answer twice is one.
        if named != nil || key.hasPrefix("@") { return named }
        return try newest(in: "accepted", ending: ".reason.json") { receipt in
            guard let file = receipt["file"]?.stringValue, AnswerName(file: file).key == key else { return false }
            return receipt["sha256"]?.stringValue == digest.hex
        }
    }

    private func newest(
        in folder: FilePath, ending: String, _ holds: (Object) -> Bool
    ) throws(FileSystemError) -> DropReceipt? {
        let names = (try inbox.entries(folder, limit: Self.listLimit) ?? []).map(\.name)
            .filter { $0.string.hasSuffix(ending) && !TemporaryName.isTemporary($0) }
        for name in names.sorted(by: { Self.seq($0) > Self.seq($1) }) {
            guard let bytes = try inbox.read(folder.appending(name), limit: Self.fileLimit),
                let object = (try? JSON.parse(bytes))?.objectValue, holds(object)
            else { continue }
            return DropReceipt(object: object)
        }
        return nil
    }

    /// `12-approve.json.reason.json`: the entry's number.
    private static func seq(_ name: FilePath.Component) -> Int { Int(name.string.prefix { $0 != "-" }) ?? 0 }
}

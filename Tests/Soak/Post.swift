import Glibc
import Harness
import SystemPackage

/// Moves files in, as other programs and people do.
struct Post {
    private let tree: SoakTree
    private var number = 0

    init(_ tree: SoakTree) { self.tree = tree }

    mutating func start(_ run: LiveRun, pauseSeconds: Double) throws {
        let pause = "\(Int((pauseSeconds * 1_000).rounded(.up)))ms"
        let request = #"{"workflow":"\#(run.kind.rawValue)","id":"\#(run.id)","inputs":{"pause":"\#(pause)"}}"#
        try move(try draft(request), to: tree.inbox.appending("\(run.id).json"))
    }

    /// Answers at one door or the other, as text or as JSON, in turn.
    mutating func answer(_ run: inout LiveRun, key: String) throws {
        let word = run.kind.answer(to: key)
        let isText = number.isMultiple(of: 4) || number % 4 == 1
        // An approval that is JSON is a truth value.
        let json = word == "yes" ? "true" : "\"\(word)\""
        let name = "\(key).\(isText ? "txt" : "json")"
        let isCommon = number.isMultiple(of: 2)
        let draft = try draft(isText ? word : json)
        let folder = isCommon ? tree.inbox : tree.folder(of: run.id).appending("inbox")
        run.noteAnswer()
        try move(draft, to: folder.appending(isCommon ? "\(run.id).\(name)" : name))
    }

    mutating func emit(for run: LiveRun) throws {
        let event =
            #"{"specversion":"1.0","id":"\#(run.id)","source":"/soak","type":"order.paid","key":"\#(run.id)","#
            + #""data":{"amount":30}}"#
        try move(try draft(event), to: tree.inbox.appending("paid-\(run.id).json"))
    }

    private mutating func draft(_ text: String) throws -> FilePath {
        number += 1
        let draft = tree.drafts.appending(String(number))
        try Disk.write(text, to: draft)
        return draft
    }

    private func move(_ draft: FilePath, to target: FilePath) throws {
        guard rename(draft.string, target.string) == 0 else {
            throw Problem("\(target) cannot be moved in: \(Errno(rawValue: errno))")
        }
    }
}

import Glibc
import Harness
import SystemPackage
import WaybillCore
import WaybillTestKit

/// Who answers: sometimes before the question, sometimes twice, at either door.
struct People {
    private let tree: TortureTree
    private var random: SeededGenerator
    private var answered: Set<Question> = []

    init(_ tree: TortureTree, _ random: SeededGenerator) {
        self.tree = tree
        self.random = random
    }

    /// Answers the question that an order will ask, before it does.
    mutating func answerEarly(_ run: String) throws {
        guard run.hasPrefix("order-"), random.chance(15) else { return }
        try drop("go", run, "approve", "--early")
    }

    mutating func answer(_ question: Question) throws {
        guard answered.insert(question).inserted else { return }
        let word: String
        if question.isUnknownOutcome {
            // Nothing of the attempt lives when this is asked: what is written is all there will be.
            word = hasHappened(question) ? "done" : "retry"
        } else if question.choices.contains("again") {
            word = random.chance(40) ? "again" : "good"
        } else {
            word = question.choices.randomElement(using: &random) ?? ""
        }
        try drop(word, question.run, question.key, "")
        if random.chance(10) { try drop(word, question.run, question.key, "--again") }
    }

    private func hasHappened(_ question: Question) -> Bool {
        let key = Digest.sha256("\(question.run)/\(question.step)/\(question.visit)").hex
        return Disk.lines(tree.effects(of: question.run)).contains(key)
    }

    private mutating func drop(_ word: String, _ run: String, _ key: String, _ suffix: String) throws {
        let isText = random.chance(50)
        let name = "\(key)\(suffix).\(isText ? "txt" : "json")"
        let text = isText ? word : "\"\(word)\""
        let inbox = tree.folder(of: run).appending("inbox")
        if random.chance(50), Disk.exists(inbox) {
            try Disk.drop(text, at: inbox.appending(name))
        } else {
            try Disk.drop(text, at: tree.runs.appending("inbox").appending("\(run).\(name)"))
        }
    }
}

import WaybillCore

/// Compares a test with the workflow it is about.
struct TestLinker {
    let report: Report
    /// Of the test.
    let fields: Fields

    func check(_ catalog: Catalog) {
        guard let workflow = report.workflow(named: fields, of: catalog, "this test") else { return }
        let book = AddressBook(workflow: workflow)
        let inputs = InputCheck(taker: "the workflow `\(workflow.name)`", inputs: workflow.inputs)
        for node in fields.list("cases") {
            guard let fields = Fields(node) else { continue }
            inputs.check(fields.node("inputs"), at: fields.node("inputs")?.mark ?? fields.mark, report)
            for member in fields.entries("stubs") { checkStub(member, book) }
            for member in fields.entries("answers") { checkAnswer(member.key, at: member.keyMark, book) }
            guard let expect = fields.fields("expect") else { continue }
            for member in expect.entries("steps") { _ = step(member.key, at: member.keyMark, book) }
            for entry in expect.list("ledger") {
                guard let step = Fields(entry)?.node("step"), let address = step.text else { continue }
                _ = self.step(address, at: step.mark, book)
            }
            for key in expect.list("waiting") {
                if let text = key.text, !book.isAdmission(text) { _ = wait(text, at: key.mark, book) }
            }
        }
    }

    private func step(_ address: String, at mark: YAMLMark, _ book: AddressBook) -> StepDefinition? {
        if let step = book.workflow.step(at: address) { return step }
        unknown(address, at: mark, book)
        return nil
    }

    private func unknown(_ address: String, at mark: YAMLMark, _ book: AddressBook) {
        report.error(
            "the workflow `\(book.workflow.name)` has no step `\(address)`", at: mark,
            hint: Suggestion.hint(for: address, among: book.addresses))
    }

    // MARK: - Answers

    private func checkAnswer(_ key: String, at mark: YAMLMark, _ book: AddressBook) {
        if book.isAdmission(key) { return }
        guard let wait = wait(key, at: mark, book) else { return }
        let asks: Bool
        switch wait.kind {
        case .own: asks = wait.step.action.asks
        case .branch(let branch): asks = branch.asks
        case .beside: return
        }
        guard !asks else { return }
        var hint = "give what it comes to in `stubs`"
        if case .forEach(let loop) = wait.step.action, loop.body.steps.first?.action.asks == true {
            hint = "its items ask: answer `\(key)-0`, `\(key)-1` and so on"
        }
        report.error("the step `\(key)` asks nothing, so no answer reaches it", at: mark, hint: hint)
    }

    /// The wait of a key; nil after reporting that no run opens it.
    private func wait(_ key: String, at mark: YAMLMark, _ book: AddressBook) -> AddressBook.Wait? {
        guard let wait = book.wait(key) else {
            report.error(
                "the workflow `\(book.workflow.name)` has no step `\(key)`", at: mark,
                hint: Suggestion.hint(for: key, among: book.waits))
            return nil
        }
        if case .own = wait.kind, case .first(let branches) = wait.step.action {
            let keys = branches.map { "\(key)-\($0.name)" }
            report.error(
                "`\(key)` waits for several things, each under a key of its own", at: mark,
                hint: "there \(branches.count == 1 ? "is" : "are") \(Phrase.enumeration(keys))")
            return nil
        }
        return wait
    }

    // MARK: - Stubs

    private func checkStub(_ member: YAMLMember, _ book: AddressBook) {
        guard let step = step(member.key, at: member.keyMark, book) else { return }
        guard let performer = step.action.performer else {
            let hint =
                step.action.asks
                ? "give what people say in `answers`" : "a test carries out `\(step.action.name)` as it stands"
            return report.error("the step `\(member.key)` takes no stub", at: member.keyMark, hint: hint)
        }
        for node in TestReader.either(member.node) {
            for field in Fields(node)?.members ?? [] {
                guard let owner = Self.owners[field.key], owner != performer else { continue }
                report.error(
                    "the step `\(member.key)` has no `\(field.key)`", at: field.keyMark,
                    hint: "it belongs to \(owner == .process ? "processes" : "requests")")
            }
        }
    }

    private static let owners: [String: Action.Performer] = [
        "exitCode": .process, "signal": .process, "artifacts": .process, "status": .request, "headers": .request,
    ]
}

extension Action {
    enum Performer {
        case process, request, run
    }

    /// What a stub takes the place of; nil where there is nothing outside of the engine.
    fileprivate var performer: Performer? {
        switch self {
        case .run: .process
        case .http: .request
        case .call: .run
        // Unresolved only where the workflow was set aside.
        case .uses(let use): use.capability?.step.action.performer
        case .wait(.job(let job)): job.poll.steps.first?.action.performer
        // One stub for all items.
        case .forEach(let loop): loop.body.steps.first?.action.performer
        default: nil
        }
    }

    /// Whether an answer may reach it.
    fileprivate var asks: Bool {
        switch self {
        case .ask: true
        case .first(let branches): branches.contains(where: \.asks)
        default: false
        }
    }
}

extension FirstBranch {
    fileprivate var asks: Bool { if case .ask = kind { true } else { false } }
}

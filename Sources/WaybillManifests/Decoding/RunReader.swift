import WaybillCore
import WaybillExpressions

/// Makes a process action: an argv, a script, or the map with either.
struct RunReader {
    private static let shells = ["sh", "bash", "dash", "zsh", "ksh", "ash", "busybox"]

    let step: StepReader
    let scope: ExpressionScope

    private var report: Report { step.report }
    private var expressions: ExpressionReader { step.expressions }

    /// Nil after reporting why.
    func action(_ node: YAMLNode) -> RunAction? {
        guard let run = Fields(node) else { return command(node, shell: nil).map { RunAction(command: $0) } }
        let shell = shell(run)
        let input = run.node("stdin").flatMap { expressions.template($0, in: scope.takingSensitive) }
        let directory = directory(run)
        guard let command = (run.node("argv") ?? run.node("script")).flatMap({ command($0, shell: shell) }) else {
            return nil
        }
        var action = RunAction(command: command, standardInput: input, workingDirectory: directory)
        let codes = run.list("successCodes").compactMap { $0.scalar?.value.intValue }.map { Int($0) }
        if !codes.isEmpty { action.successCodes = codes }
        return action
    }

    private func shell(_ run: Fields) -> String? {
        guard let member = run.member("shell"), let text = member.node.text else { return nil }
        if run.node("argv") != nil {
            report.error(
                "`shell` means nothing for `argv`, which needs none", at: member.keyMark, hint: "remove `shell`")
        }
        if !text.hasPrefix("/") {
            report.error("`shell` expects an absolute path, got \(Phrase.quoted(text))", at: member.node.mark)
        }
        return text
    }

    private func directory(_ run: Fields) -> RunAction.WorkingDirectory {
        guard let node = run.node("cwd"), let text = node.text else { return .tree }
        if text == "scratch" { return .scratch }
        if !text.holdsTemplate, text != ".", !text.hasPrefix("/"), !Paths.isContained(text) {
            report.error("`cwd` leaves the tree: \(Phrase.quoted(text))", at: node.mark)
        }
        return expressions.text(node, in: scope).map { .path($0) } ?? .tree
    }

    private func command(_ node: YAMLNode, shell: String?) -> RunAction.Command? {
        switch node.content {
        case .scalar(let scalar):
            if refuseTemplates(in: scalar, at: node.mark) { return nil }
            return .script(scalar.text, shell: shell ?? "/bin/sh")
        case .sequence(let nodes):
            checkProgram(nodes.first)
            checkShellText(nodes)
            let arguments = nodes.compactMap { expressions.argument($0, in: scope) }
            return arguments.count == nodes.count ? .argv(arguments) : nil
        case .mapping: return nil
        }
    }

    // MARK: - Programs

    /// A program beside the workflow must be there; the others are looked up where the step runs.
    private func checkProgram(_ node: YAMLNode?) {
        guard let node, let text = node.text, !text.holdsTemplate else { return }
        if text.isEmpty { report.error("the program's name is empty", at: node.mark) }
        guard text.utf8.contains(UInt8(ascii: "/")), !text.hasPrefix("/") else { return }
        guard let path = Paths.resolve(text, in: step.context.folder) else {
            report.error("the program \(Phrase.quoted(text)) leaves the tree", at: node.mark)
            return
        }
        if !step.context.exists(path) {
            report.warning(
                .executor, "the program \(Phrase.quoted(text)) does not stand beside the workflow: no file `\(path)`",
                at: node.mark, hint: "add the file and make it executable")
        }
    }

    // MARK: - Shells

    /// Text that a shell parses must not be put together from values: that is how commands are injected.
    private func refuseTemplates(in scalar: YAMLScalar, at mark: YAMLMark) -> Bool {
        guard let found = TemplateFinder.first(in: scalar.text) else { return false }
        let place = report.places(of: scalar, at: mark).place(at: found.offset)
        let name = TemplateFinder.environmentName(for: found.expression)
        report.error(
            "`${{ }}` in a script would become shell code", at: place,
            hint:
                "pass the value by the environment: `env: {\(name): \"${{ \(found.expression) }}\"}`, and write \"$\(name)\" in the script"
        )
        return true
    }

    /// `[sh, -c, "... ${{ }}"]` is a script as well.
    private func checkShellText(_ nodes: [YAMLNode]) {
        guard let program = nodes.first?.text else { return }
        let name = program.utf8.lastIndex(of: UInt8(ascii: "/")).map { program[program.utf8.index(after: $0)...] }
        guard Self.shells.contains(where: { (name ?? program[...]) == $0 }) else { return }
        let isOption = { (text: String) in text.hasPrefix("-") && !text.hasPrefix("--") && text.hasSuffix("c") }
        guard let option = nodes.firstIndex(where: { isOption($0.text ?? "") }), option + 1 < nodes.count else {
            return
        }
        // Further arguments are $0, $1 and so on: they are data.
        if let scalar = nodes[option + 1].scalar { _ = refuseTemplates(in: scalar, at: nodes[option + 1].mark) }
    }
}

extension String {
    /// Whether `${{` stands in the text. Most texts have no dollar, and are done at once.
    var holdsTemplate: Bool {
        let bytes = utf8
        guard var index = bytes.firstIndex(of: UInt8(ascii: "$")) else { return false }
        while true {
            if bytes[index...].starts(with: "${{".utf8) { return true }
            index = bytes.index(after: index)
            guard let next = bytes[index...].firstIndex(of: UInt8(ascii: "$")) else { return false }
            index = next
        }
    }
}

/// Finds `${{ }}` in texts that take none, for the advice what to write.
enum TemplateFinder {
    static func first(in text: String) -> (offset: Int, expression: String)? {
        guard let range = text.firstRange(of: "${{") else { return nil }
        let rest = text[range.upperBound...]
        let end = rest.firstRange(of: "}}")?.lowerBound ?? rest.endIndex
        let expression = rest[..<end].split(whereSeparator: \.isWhitespace).joined(separator: " ")
        return (text.utf8.distance(from: text.startIndex, to: range.lowerBound), expression)
    }

    /// `VERSION` for `inputs.version`: the last name of the expression.
    static func environmentName(for expression: String) -> String {
        let names = expression.split { !($0.isASCII && ($0.isLetter || $0.isNumber || $0 == "_")) }
        guard let last = names.last(where: { $0.first?.isNumber == false }) else { return "VALUE" }
        var name = ""
        for character in last {
            if character.isUppercase, let before = name.last, before != "_" { name += "_" }
            name += character.uppercased()
        }
        return name
    }
}

import WaybillCore

/// Compares a document with a shape and reports every difference.
struct ShapeChecker {
    let report: Report

    /// - Parameter subject: what the node is, for the message: "`timeout`", "an entry of `needs`".
    func check(_ node: YAMLNode, _ shape: Shape, subject: String) {
        switch shape {
        case .scalar(let rule): check(node, rule, subject: subject)
        case .list(let element, let atLeast):
            guard case .sequence(let nodes) = node.content else { return mismatch(node, shape, subject) }
            if nodes.count < atLeast { tooFew(node, atLeast, "entries", subject) }
            for entry in nodes { check(entry, element, subject: "an entry of \(subject)") }
        case .fields(let table):
            guard case .mapping(let members) = node.content else { return mismatch(node, shape, subject) }
            check(members, table, at: node.mark)
        case .nested(_, let table): check(node, .fields(table()), subject: subject)
        case .entries(let key, let value, let atLeast):
            guard case .mapping(let members) = node.content else { return mismatch(node, shape, subject) }
            if members.count < atLeast { tooFew(node, atLeast, "entries", subject) }
            for member in members {
                checkKey(member, key, subject: subject)
                check(member.node, value, subject: "`\(member.key)`")
            }
        case .literal: checkLiteral(node, subject: subject)
        case .templated: checkNames(node)
        case .schema: checkSchema(node, subject: subject)
        case .either(let shapes):
            guard let fit = shapes.first(where: { $0.fits(node) }) else { return mismatch(node, shape, subject) }
            check(node, fit, subject: subject)
        }
    }

    private func check(_ node: YAMLNode, _ rule: ScalarRule, subject: String) {
        guard case .scalar(let scalar) = node.content else { return mismatch(node, .scalar(rule), subject) }
        guard let mistake = rule.mistake(in: scalar) else { return }
        let message =
            mistake.isWhole
            ? "\(subject) \(mistake.detail)" : "\(subject) expects \(rule.expectation), got \(mistake.detail)"
        report.error(message, at: node.mark, hint: mistake.hint)
    }

    private func mismatch(_ node: YAMLNode, _ shape: Shape, _ subject: String) {
        report.error(
            "\(subject) expects \(shape.expectation), got \(Phrase.article(node.kindName))", at: node.mark)
    }

    private func tooFew(_ node: YAMLNode, _ atLeast: Int, _ what: String, _ subject: String) {
        report.error("\(subject) is empty", at: node.mark, hint: "it needs at least \(atLeast) of its \(what)")
    }

    private func checkKey(_ member: YAMLMember, _ rule: ScalarRule, subject: String) {
        let key = YAMLScalar(text: member.key, style: .doubleQuoted, tag: .str)
        guard let mistake = rule.mistake(in: key) else { return }
        let message =
            mistake.isWhole
            ? "a name in \(subject) \(mistake.detail)"
            : "a name in \(subject) must be \(rule.expectation), got \(mistake.detail)"
        report.error(message, at: member.keyMark, hint: mistake.hint)
    }

    /// Literal values are taken as they stand, so `${{ }}` in one would silently mean nothing.
    private func checkLiteral(_ node: YAMLNode, subject: String) {
        switch node.content {
        case .scalar(let scalar):
            if scalar.text.holdsTemplate { report.error("\(subject) takes no `${{ }}`", at: node.mark) }
            checkNumber(scalar, at: node.mark)
        case .sequence(let nodes): nodes.forEach { checkLiteral($0, subject: subject) }
        case .mapping(let members):
            for member in members { checkLiteral(member.node, subject: "`\(member.key)`") }
        }
    }

    private func checkNumber(_ scalar: YAMLScalar, at mark: YAMLMark) {
        if case .double(let number) = scalar.value, !number.isFinite {
            report.error(
                "infinity and NaN are no JSON numbers", at: mark, hint: "put quotes around it if a text is meant")
        }
    }

    private func checkNames(_ node: YAMLNode) {
        switch node.content {
        case .scalar(let scalar): checkNumber(scalar, at: node.mark)
        case .sequence(let nodes): nodes.forEach(checkNames)
        case .mapping(let members):
            for member in members {
                if member.key.holdsTemplate {
                    report.error(
                        "`${{ }}` may stand in a value, not in a name", at: member.keyMark,
                        hint: "build the whole map in one expression")
                }
                checkNames(member.node)
            }
        }
    }

    private func checkSchema(_ node: YAMLNode, subject: String) {
        switch node.content {
        case .mapping: checkNames(node)
        case .scalar(let scalar) where scalar.value.boolValue != nil: break
        default: mismatch(node, .schema, subject)
        }
    }
}

extension ShapeChecker {
    private func check(_ members: [YAMLMember], _ table: FieldTable, at mark: YAMLMark) {
        // A misspelt field is one mistake, not two: what it was meant to be does not count as missing.
        var meant: Set<String> = []
        for member in members {
            guard let field = table.field(member.key) else {
                let offered = table.fields.filter(\.isOffered).map(\.name)
                // What is not carried out yet is named where nothing else is near: it may be what was meant.
                let closest =
                    Suggestion.closest(to: member.key, among: offered)
                    ?? Suggestion.closest(to: member.key, among: table.fields.filter(\.isLater).map(\.name))
                if let closest { meant.insert(closest) }
                let few = offered.count <= 8 ? "it may have \(Phrase.enumeration(offered))" : nil
                report.error(
                    "\(table.what) has no field `\(member.key)`", at: member.keyMark,
                    hint: closest.map { "did you mean '\($0)'?" } ?? few)
                continue
            }
            switch field.standing {
            case .required, .optional: check(member.node, field.shape, subject: "`\(field.name)`")
            case .later:
                report.error("`\(field.name)` is not carried out by this version yet", at: member.keyMark)
            case .misplaced(let message): report.error("`\(field.name)` \(message)", at: member.keyMark)
            }
        }
        for field in table.fields where field.isRequired && !meant.contains(field.name) {
            if !members.contains(where: { $0.key == field.name }) {
                report.error(
                    "\(table.what) needs `\(field.name)`", at: mark, hint: "expected \(field.shape.expectation)")
            }
        }
        for choice in table.choices { check(members, choice, of: table, meant: meant, at: mark) }
    }

    private func check(
        _ members: [YAMLMember], _ choice: FieldTable.Choice, of table: FieldTable, meant: Set<String>,
        at mark: YAMLMark
    ) {
        let present = members.filter { choice.names.contains($0.key) }
        if !present.isEmpty {
            let offered = present.filter { table.field($0.key)?.isOffered == true }
            guard let first = offered.first else { return }
            for second in offered.dropFirst() {
                report.error(
                    "\(table.what) has one \(choice.what), and `\(second.key)` stands beside `\(first.key)`",
                    at: second.keyMark, hint: "keep one of the two")
            }
        } else if choice.isRequired, meant.isDisjoint(with: choice.names) {
            let offered = choice.names.filter { table.field($0)?.isOffered == true }
            report.error(
                "\(table.what) needs \(Phrase.article(choice.what))", at: mark,
                hint: "give it one of \(Phrase.alternatives(offered))")
        }
    }
}

extension Shape {
    /// Whether the node has the shape's kind.
    fileprivate func fits(_ node: YAMLNode) -> Bool {
        switch (self, node.content) {
        case (.scalar, .scalar), (.list, .sequence), (.fields, .mapping), (.nested, .mapping), (.entries, .mapping):
            true
        case (.schema, .mapping), (.literal, _), (.templated, _): true
        case (.either(let shapes), _): shapes.contains { $0.fits(node) }
        default: false
        }
    }

    /// With its article, for "expects ...".
    var expectation: String {
        switch self {
        case .scalar(let rule): return rule.expectation
        case .list: return "a list"
        case .fields(let table):
            let required = table.fields.filter(\.isRequired).map(\.name)
            return required.isEmpty ? "a map" : "a map with \(Phrase.enumeration(required))"
        case .nested(_, let table): return Shape.fields(table()).expectation
        case .entries: return "a map"
        case .literal, .templated: return "a value"
        case .schema: return "a JSON Schema"
        case .either(let shapes):
            let texts = shapes.map(\.expectation)
            return texts.dropLast().joined(separator: ", ") + (texts.count > 1 ? " or " : "") + (texts.last ?? "")
        }
    }
}

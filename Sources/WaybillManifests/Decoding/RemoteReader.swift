import WaybillCore
import WaybillExpressions

/// Makes the actions that reach others: requests, events, sub-runs and capabilities.
struct RemoteReader {
    let step: StepReader
    let scope: ExpressionScope

    private var report: Report { step.report }
    private var expressions: ExpressionReader { step.expressions }

    /// Nil if it is none of them, and after reporting what is wrong with it.
    func action(_ fields: Fields) -> Action? {
        if let http = fields.fields("http") { return request(http).map { .http($0) } }
        if let emit = fields.fields("emit") { return self.emit(emit).map { .emit($0) } }
        if let call = fields.fields("call") { return self.call(call).map { .call($0) } }
        guard let node = fields.node("uses"), let reference = node.text.flatMap(Names.capability) else { return nil }
        return .uses(
            UseAction(
                reference: reference, place: report.place(node.mark),
                inputs: expressions.named(fields.entries("with"), in: scope),
                capability: step.context.capability(reference)))
    }

    private func emit(_ emit: Fields) -> EmitAction? {
        let key = emit.node("key").flatMap { expressions.text($0, in: scope) }
        let subject = emit.node("subject").flatMap { expressions.text($0, in: scope) }
        let data = emit.node("data").flatMap { expressions.template($0, in: scope) }
        if let node = emit.node("type"), node.text?.isEmpty == true { report.error("`type` is empty", at: node.mark) }
        let type = emit.node("type").flatMap { expressions.text($0, in: scope) }
        return type.map { EmitAction(type: $0, key: key, subject: subject, data: data) }
    }

    private func call(_ call: Fields) -> CallAction? {
        let inputs = expressions.named(call.entries("with"), in: scope)
        let id = call.node("id").flatMap { expressions.text($0, in: scope) }
        guard let node = call.node("workflow"), let workflow = node.text else { return nil }
        return CallAction(
            workflow: workflow, place: report.place(node.mark), inputs: inputs, id: id,
            detach: call.flag("detach") ?? false)
    }

    // MARK: - Requests

    private func request(_ http: Fields) -> HTTPAction? {
        let query = expressions.arguments(http.entries("query"), in: scope)
        let headers = expressions.arguments(http.entries("headers"), in: scope)
        for header in http.entries("headers") {
            checkHeader(header)
            if let prefix = Fields(header.node)?.member("prefix") { checkHeader(prefix) }
        }
        let body = body(http)
        let authentication = http.fields("auth").flatMap(authentication)
        guard let node = http.node("url"), let url = expressions.text(node, in: scope) else { return nil }
        check(url, at: node)
        var action = HTTPAction(
            method: http.text("method") ?? "GET", url: url, query: query, headers: headers,
            secretQuery: secretFields(http, "query"), secretHeaders: secretFields(http, "headers"), body: body,
            authentication: authentication)
        if let statuses = http.fields("expect")?.node("status") { action.expect = Self.statuses(statuses) }
        return action
    }

    /// One status or class, or a list of them.
    static func statuses(_ node: YAMLNode) -> [HTTPAction.StatusRange] {
        if let scalar = node.scalar { return [HTTPAction.StatusRange(scalar)].compactMap { $0 } }
        guard case .sequence(let nodes) = node.content else { return [] }
        return nodes.compactMap { $0.scalar.flatMap { HTTPAction.StatusRange($0) } }
    }

    private func body(_ http: Fields) -> HTTPAction.Body {
        if let node = http.node("json") { return content(node).map { .json($0) } ?? .none }
        if http.node("form") != nil {
            let fields = expressions.arguments(http.entries("form"), in: scope)
            return .form(fields, secrets: secretFields(http, "form"))
        }
        if let secret = secretText(http.node("text")) { return .secret(secret) }
        if let node = http.node("text") { return expressions.text(node, in: scope).map { .text($0) } ?? .none }
        guard let node = http.node("file") else { return .none }
        if let text = node.text, !text.holdsTemplate, !Paths.isContained(text) {
            report.error("`file` leaves the tree: \(Phrase.quoted(text))", at: node.mark)
        }
        return expressions.text(node, in: scope).map { .file($0) } ?? .none
    }

    private func authentication(_ fields: Fields) -> HTTPAction.Authentication? {
        if let secret = fields.fields("bearer")?.text("secret") { return .bearer(secret: secret) }
        guard let basic = fields.fields("basic") else { return nil }
        let user = basic.node("user").flatMap { expressions.text($0, in: scope) }
        if let node = basic.node("user"), node.text?.contains(":") == true, node.text?.holdsTemplate == false {
            report.error(
                "`user` holds a colon, which ends the name (RFC 7617, section 2)", at: node.mark,
                hint: "put what follows the colon into `password`")
        }
        guard let user, let secret = basic.fields("password")?.text("secret") else { return nil }
        return .basic(user: user, secret: secret)
    }

    // MARK: - Secrets of requests

    /// Those members of `headers`, `query` or `form` that are secrets.
    private func secretFields(_ http: Fields, _ name: String) -> [SecretField] {
        http.entries(name).compactMap { member in
            secretText(member.node).map { SecretField(name: member.key, text: $0) }
        }
    }

    private func secretText(_ node: YAMLNode?) -> SecretText? {
        guard let fields = Fields(node), let secret = fields.text("secret") else { return nil }
        return SecretText(prefix: fields.text("prefix") ?? "", secret: secret)
    }

    /// A JSON body; nil after reporting why.
    private func content(_ node: YAMLNode) -> HTTPAction.Content? {
        if isSecret(node) { return secret(node).map { .secret($0) } }
        guard holdsSecret(node) else { return expressions.template(node, in: scope).map { .template($0) } }
        switch node.content {
        case .scalar: return nil
        case .sequence(let nodes):
            let items = nodes.compactMap(content)
            return items.count == nodes.count ? .list(items) : nil
        case .mapping(let members):
            let read = members.compactMap { member in content(member.node).map { (key: member.key, value: $0) } }
            return read.count == members.count ? .map(read) : nil
        }
    }

    /// Whether it is a map of `secret`, with a `prefix` perhaps, and of nothing else.
    private func isSecret(_ node: YAMLNode) -> Bool {
        guard let fields = Fields(node), fields.scalar("secret") != nil else { return false }
        return fields.members.allSatisfy { ["secret", "prefix"].contains($0.key) }
    }

    private func holdsSecret(_ node: YAMLNode) -> Bool {
        switch node.content {
        case .scalar: false
        case .sequence(let nodes): nodes.contains(where: holdsSecret)
        case .mapping(let members): isSecret(node) || members.contains { holdsSecret($0.node) }
        }
    }

    /// In JSON nothing else says that a map is meant as a secret; nil after reporting that it cannot be one.
    private func secret(_ node: YAMLNode) -> SecretText? {
        guard Fields(node)?.members.contains(where: { $0.node.text?.holdsTemplate == true }) == true else {
            ShapeChecker(report: report).check(node, .fields(Grammar.secretField), subject: "a secret")
            return secretText(node)
        }
        report.error(
            "a map of `secret` alone stands for a secret of the settings, and takes no `${{ }}`", at: node.mark,
            hint: "for JSON that looks so, build the map in one expression: `${{ {'secret': ...} }}`")
        return nil
    }

    /// What opens doors must not stand in ledgers; a line break would begin another header (RFC 9110, section 5.5).
    private func checkHeader(_ header: YAMLMember) {
        if header.node.scalar != nil, ["authorization", "proxy-authorization"].contains(header.key.lowercased()) {
            report.error(
                "the header `\(header.key)` would stand in the run's ledger", at: header.node.mark,
                hint: "use `auth`, or `\(header.key): {prefix: \"Bearer \", secret: name}`")
        }
        guard let text = header.node.text, text.utf8.contains(where: { $0 < 0x20 && $0 != 0x09 || $0 == 0x7F }) else {
            return
        }
        report.error(
            "the header `\(header.key)` holds a line break or another control character", at: header.node.mark,
            hint: "write it in one line")
    }

    /// A URL whose beginning is known begins with a scheme that is spoken.
    private func check(_ url: Template, at node: YAMLNode) {
        let start: String
        switch url {
        case .constant(.string(let text)): start = text
        case .text(let parts):
            guard case .text(let text)? = parts.first else { return }
            start = text
        default: return
        }
        let known = ["http://", "https://"]
        if known.contains(where: { start.lowercased().hasPrefix($0) }) { return }
        report.error(
            "`url` begins with `http://` or `https://`, got \(Phrase.quoted(start))", at: node.mark,
            hint: start.contains("://") ? nil : "write `https://\(start)`")
    }
}

import WaybillCore
import WaybillExpressions

/// Makes the step around the items of a `forEach`.
struct LoopReader {
    let step: StepReader

    private var report: Report { step.report }
    private var expressions: ExpressionReader { step.expressions }

    /// Nil after reporting why.
    func loop(_ subject: StepReader.Subject, at index: Int) -> StepDefinition? {
        guard let node = subject.fields.node("forEach") else { return nil }
        let fields = node.member("items") == nil ? nil : Fields(node)
        let list = fields?.node("items") ?? node
        let items = items(list, in: subject.before)
        let names = ["item": itemShape(items, at: list), "index": .int]
        var item = subject
        item.before = subject.before.adding(names)
        item.after = step.scopes.after(index, itemOutput(subject)).adding(names)
        item.after.facts = subject.after.facts
        item.innerNames = names
        let key = fields?.node("key").flatMap { self.key($0, in: item.before) }
        guard let body = step.body(item), let items else { return nil }
        let loop = ForEachAction(
            items: items, key: key, maxParallel: fields?.integer("maxParallel") ?? 10,
            onItemFailure: fields?.word("onItemFailure") ?? .finish, body: Plan(shape: .graph, steps: [body]))
        return StepDefinition(id: subject.id, place: report.place(subject.mark), action: .forEach(loop))
    }

    private func itemOutput(_ subject: StepReader.Subject) -> StepOutline.OutputShape {
        OutputShapes(capability: step.context.capability, outputs: step.context.outputs)
            .itemOutput(of: subject.fields, inner: subject.inner)
    }

    private func items(_ node: YAMLNode, in scope: ExpressionScope) -> Template? {
        if let text = node.text, !text.holdsTemplate {
            report.error(
                "`forEach` goes over a list or a map, got a text", at: node.mark,
                hint: "write `${{ \(text) }}` if an expression is meant, or `[\(text)]` for a list of one")
            return nil
        }
        return expressions.template(node, in: scope)
    }

    /// What an item is; reports items that can be neither a list nor a map.
    private func itemShape(_ items: Template?, at node: YAMLNode) -> TypeShape {
        guard let items else { return .dyn }
        switch items.shape {
        case .dyn, .optional: return .dyn
        case .list(let element), .nullable(.list(let element)): return element
        case .map(_, let value): return .object(["key": .string, "value": value])
        case .object: return .object(["key": .string, "value": .dyn])
        case let other:
            report.error("`forEach` goes over a list or a map, got \(Phrase.article(other.word))", at: node.mark)
            return .dyn
        }
    }

    /// Bare, or as one `${{ }}`; nil after reporting why.
    private func key(_ node: YAMLNode, in scope: ExpressionScope) -> Expression? {
        guard let key = expressions.expression(node, in: scope) else { return nil }
        switch key.shape {
        case .dyn, .string, .int, .nullable(.string), .nullable(.int): return key
        default:
            report.error(
                "`key` gives a text for each item, this is \(Phrase.article(key.shape.word))", at: key.place,
                hint: "take one of its members, or make a text of it with string()")
            return nil
        }
    }
}

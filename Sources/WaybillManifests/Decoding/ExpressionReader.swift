import WaybillCore
import WaybillExpressions

/// Compiles the conditions and templates of a manifest, each against the scope of its place.
struct ExpressionReader {
    let report: Report
    /// Nil where there are no steps to speak of.
    let outline: StepOutline?

    /// A condition, bare or as `${{ }}`; nil after reporting why.
    func condition(_ node: YAMLNode, in scope: ExpressionScope) -> Expression? {
        guard !report.isClosed, let scalar = node.scalar, scalar.isString || scalar.value.boolValue != nil else {
            return nil
        }
        // An empty one was refused with the shapes.
        guard scalar.text.contains(where: { !$0.isWhitespace }) else { return nil }
        let text = scalar.isString ? scalar.text : scalar.text.lowercased()
        do throws(InvalidExpression) {
            let expression = try Expression.condition(
                text, places: report.places(of: scalar, at: node.mark), declarations: scope.declarations)
            // Of a condition the ledger keeps the result alone.
            accept([expression], in: scope.takingSensitive)
            return expression
        } catch {
            report.add(error.diagnostics)
            return nil
        }
    }

    /// One expression, bare or as `${{ }}`; nil after reporting why.
    func expression(_ node: YAMLNode, in scope: ExpressionScope) -> Expression? {
        guard !report.isClosed, let scalar = node.scalar, scalar.isString || scalar.value.boolValue != nil else {
            return nil
        }
        guard scalar.text.contains(where: { !$0.isWhitespace }) else { return nil }
        if scalar.text.holdsTemplate {
            switch template(scalar, at: node, in: scope) {
            case .expression(let expression)?: return expression
            case nil: return nil
            default:
                report.error(
                    "one expression is expected, this is a text with expressions in it", at: node.mark,
                    hint: "join texts with `+`, as in `item.a + '-' + item.b`")
                return nil
            }
        }
        do throws(InvalidExpression) {
            let expression = try Expression.compile(
                scalar.text, places: report.places(of: scalar, at: node.mark), declarations: scope.declarations)
            accept([expression], in: scope)
            return expression
        } catch {
            report.add(error.diagnostics)
            return nil
        }
    }

    /// A text with `${{ }}`; nil for anything else, and after reporting why.
    func text(_ node: YAMLNode, in scope: ExpressionScope) -> Template? {
        guard let scalar = node.scalar, scalar.isString else { return nil }
        return template(scalar, at: node, in: scope)
    }

    /// Any scalar but null as text: `8080` stands for "8080" as it is written.
    func argument(_ node: YAMLNode, in scope: ExpressionScope) -> Template? {
        guard let scalar = node.scalar, !scalar.value.isNull else { return nil }
        return scalar.isString ? template(scalar, at: node, in: scope) : .constant(.string(scalar.text))
    }

    /// Any value with `${{ }}` in its texts; nil after reporting why.
    func template(_ node: YAMLNode, in scope: ExpressionScope) -> Template? {
        switch node.content {
        case .scalar(let scalar):
            return scalar.isString ? template(scalar, at: node, in: scope) : .constant(scalar.value)
        case .sequence(let nodes):
            let templates = nodes.compactMap { template($0, in: scope) }
            guard templates.count == nodes.count else { return nil }
            let constants = templates.compactMap(\.constant)
            return constants.count == templates.count ? .constant(.list(constants)) : .list(templates)
        case .mapping(let members):
            let templates = members.compactMap { member in
                template(member.node, in: scope).map { Template.Entry(key: member.key, value: $0) }
            }
            guard templates.count == members.count else { return nil }
            let constants = templates.compactMap { member in member.value.constant.map { (member.key, $0) } }
            return constants.count == templates.count ? .constant(.object(Object(constants))) : .map(templates)
        }
    }

    func named(_ members: [YAMLMember], in scope: ExpressionScope) -> [NamedTemplate] {
        members.compactMap { member in named(member, template(member.node, in: scope)) }
    }

    func arguments(_ members: [YAMLMember], in scope: ExpressionScope) -> [NamedTemplate] {
        members.compactMap { member in named(member, argument(member.node, in: scope)) }
    }

    private func named(_ member: YAMLMember, _ template: Template?) -> NamedTemplate? {
        template.map { NamedTemplate(name: member.key, place: report.place(member.keyMark), template: $0) }
    }

    private func template(_ scalar: YAMLScalar, at node: YAMLNode, in scope: ExpressionScope) -> Template? {
        guard scalar.text.holdsTemplate else { return .constant(.string(scalar.text)) }
        guard !report.isClosed else { return nil }
        do throws(InvalidExpression) {
            let template = try Template.parse(
                scalar.text, places: report.places(of: scalar, at: node.mark), declarations: scope.declarations)
            accept(template.expressions, in: scope)
            return template
        } catch {
            report.add(error.diagnostics)
            return nil
        }
    }

    private func accept(_ expressions: [Expression], in scope: ExpressionScope) {
        for expression in expressions { report.add(expression.warnings) }
        check(expressions, in: scope)
    }
}

import WaybillCore
import WaybillExpressions

// What an expression reads of other steps must be there when it is evaluated.

extension ExpressionReader {
    /// Reports reads of steps that have not ended, have no output, or may have been skipped.
    func check(_ expressions: [Expression], in scope: ExpressionScope) {
        guard let outline else { return }
        for expression in expressions where expression.references.contains(where: { $0.path[0] == "steps" }) {
            var reported: Set<Int> = []
            var scope = scope
            // A false conjunct settles a condition, whatever the others read.
            scope.facts.sources.append(expression.source)
            for read in expression.references {
                guard read.path.count > 1, read.path[0] == "steps", let step = outline.indices[read.path[1]] else {
                    continue
                }
                guard let problem = problem(read, of: step, in: scope, outline) else { continue }
                guard reported.insert(step).inserted else { continue }
                report.error(problem.message, at: expression.start(of: read), hint: problem.hint)
            }
        }
    }

    private func problem(
        _ read: Reference, of step: Int, in scope: ExpressionScope, _ outline: StepOutline
    ) -> (message: String, hint: String?)? {
        let id = read.path[1]
        let readsOutput = read.path.count > 2 && read.path[2] == "output"
        if readsOutput, case .none = outline.steps[step].output { return noOutput(id, outline.steps[step]) }
        let reader: Int
        switch scope.viewpoint {
        case .start, .end: return nil
        case .before(let index): reader = index
        case .after(let index):
            if step == index { return nil }
            reader = index
        }
        if let message = order(step, id, reader, outline) { return message }
        guard readsOutput, !isGuarded(read, by: scope.facts) else { return nil }
        if outline.order.hasCompleted(step, before: reader) || isImplied(step, by: scope, outline) { return nil }
        return (
            "`steps.\(id).output` may be missing here: \(reason(step, id, outline))",
            "write `\(rewrite(read, of: step, outline))`, or give the step `if: has(steps.\(id).output)`"
        )
    }

    /// Whether the expression itself, or an `if` before it, makes sure of the output.
    private func isGuarded(_ read: Reference, by facts: ConditionFacts) -> Bool {
        read.strictCount < 3
            || facts.known.contains { $0.count >= 3 && $0.prefix(3).elementsEqual(read.path.prefix(3)) }
    }

    private func noOutput(_ id: String, _ step: StepOutline.Step) -> (message: String, hint: String?) {
        guard step.action == "run" else { return ("the step `\(id)` never has an output", nil) }
        return ("the step `\(id)` has no output", "add `output: json`, `lines` or `text` to `\(id)`")
    }

    private func order(
        _ step: Int, _ id: String, _ reader: Int, _ outline: StepOutline
    ) -> (message: String, hint: String?)? {
        let isMachine = outline.shape != .graph
        if step == reader {
            // A state may look back at its own last visit.
            if isMachine { return nil }
            return (
                "the step `\(id)` reads itself before it has ended", "its result is `output` in `verify` and `update`"
            )
        }
        if outline.order.mayHaveEnded(step, before: reader) { return nil }
        if isMachine { return ("the state `\(id)` is never visited before `\(outline.steps[reader].id)`", nil) }
        return (
            "the step `\(id)` may not have ended when `\(outline.steps[reader].id)` starts",
            "add `\(id)` to its `needs`"
        )
    }

    private func reason(_ step: Int, _ id: String, _ outline: StepOutline) -> String {
        let fields = outline.steps[step].fields
        if fields.node("if") != nil { return "`\(id)` has an `if` and may be skipped" }
        if fields.flag("continueOnError") == true { return "`\(id)` may fail and let the run go on" }
        if outline.shape != .graph { return "not every way leads through `\(id)`" }
        return "`\(id)` may have been skipped or have failed"
    }

    /// Whether the reader's `if` holds only where the step's own `if` does.
    private func isImplied(_ step: Int, by scope: ExpressionScope, _ outline: StepOutline) -> Bool {
        guard outline.shape == .graph,
            outline.steps[step].fields.flag("continueOnError") != true,
            let source = outline.steps[step].fields.scalar("if")?.text
        else { return false }
        let conjuncts = ConditionText.conjuncts(ConditionText.bare(source))
        // What may change between the two evaluations implies nothing.
        guard !["vars", "attempt", "visit", "step."].contains(where: source.contains) else { return false }
        return !conjuncts.isEmpty && conjuncts.isSubset(of: scope.facts.conjuncts)
    }

    /// The read as it stands with a way out where there is no output.
    private func rewrite(_ read: Reference, of step: Int, _ outline: StepOutline) -> String {
        var text = "steps.\(read.path[1]).?output"
        var shape = TypeShape.dyn
        if case .shape(let output) = outline.steps[step].output { shape = output }
        for name in read.path.dropFirst(3) {
            text += ".\(name)"
            if case .object(let object) = shape { shape = object.fields[name] ?? .dyn } else { shape = .dyn }
        }
        let fallback =
            switch shape {
            case .bool: "false"
            case .int: "0"
            case .double: "0.0"
            case .string: "''"
            case .list: "[]"
            case .object, .map: "{}"
            default: "null"
            }
        return "\(text).orValue(\(fallback))"
    }
}

extension Expression {
    /// Where the variable stands that a reference begins with.
    fileprivate func start(of reference: Reference) -> SourcePlace? {
        let before = source.utf8.prefix(reference.offset + 1)
        let text = String(decoding: before, as: UTF8.self)
        guard let root = reference.path.first, let range = text.ranges(of: root).last else {
            return place(at: reference.offset)
        }
        return place(at: text.utf8.distance(from: text.startIndex, to: range.lowerBound))
    }
}

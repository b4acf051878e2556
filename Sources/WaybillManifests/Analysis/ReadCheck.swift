import WaybillCore
import WaybillExpressions

// What an expression reads of other steps must be there when it is evaluated.

extension ExpressionReader {
    /// Reports reads of steps that have not ended, have no output, or may have been skipped.
    func check(_ expressions: [Expression], in scope: ExpressionScope) {
        guard let outline else { return }
        if !scope.takesSensitive { for expression in expressions { refuseSensitive(expression, in: scope, outline) } }
        for expression in expressions where expression.references.contains(where: { $0.path[0] == "steps" }) {
            var reported: Set<String> = []
            var scope = scope
            // A false conjunct settles a condition, whatever the others read.
            scope.facts.sources.append(expression.source)
            for read in expression.references where read.path.count > 1 && read.path[0] == "steps" {
                guard let problem = problem(read, in: scope, outline) else { continue }
                guard reported.insert(read.path[1]).inserted else { continue }
                report.error(problem.message, at: expression.start(of: read), hint: problem.hint)
            }
        }
    }

    private typealias ReadProblem = (message: String, hint: String?)

    /// A step that is read, and what is known about it where it is read.
    private struct Target {
        var outline: StepOutline
        var step: Int
        var viewpoint: Viewpoint

        enum Viewpoint {
            case known(ExpressionScope.Viewpoint)
            /// The steps have ended, nobody knows how.
            case afterwards
        }

        var id: String { outline.steps[step].id }
        var output: StepOutline.OutputShape { outline.steps[step].output }
    }

    private func problem(_ read: Reference, in scope: ExpressionScope, _ outline: StepOutline) -> ReadProblem? {
        var viewpoint = Target.Viewpoint.known(scope.viewpoint)
        var around = outline
        while true {
            if let step = around.indices[read.path[1]] {
                return problem(read, of: Target(outline: around, step: step, viewpoint: viewpoint), in: scope)
            }
            if let path = around.innerPaths[read.path[1]] {
                return (
                    "the step `\(read.path[1])` stands inside of the group `\(path.prefix { $0 != "." })`",
                    "from here it is `steps.\(path)`"
                )
            }
            switch around.surroundings {
            case .none: return nil
            case .group(let outer, let index):
                if case .known = viewpoint { viewpoint = .known(.before(index)) }
                around = outer
            case .after(let other):
                viewpoint = .afterwards
                around = other
            }
        }
    }

    private func problem(_ read: Reference, of target: Target, in scope: ExpressionScope) -> ReadProblem? {
        let (outline, step, id) = (target.outline, target.step, target.id)
        let readsOutput = read.path.count > 2 && read.path[2] == "output"
        if readsOutput, case .none = target.output { return noOutput(id, outline.steps[step]) }
        switch target.viewpoint {
        case .known(.start): return nil
        case .known(.end): return nil
        case .known(.after(step)): break
        case .known(.before(let reader)), .known(.after(let reader)):
            if let problem = order(step, id, reader, outline) { return problem }
            guard readsOutput, !isGuarded(read, 3, by: scope.facts) else { break }
            if outline.order.hasCompleted(step, before: reader) || isImplied(step, by: scope, outline) { break }
            return missing(read, 3, reason(step, id, outline), target.output)
        case .afterwards:
            guard readsOutput, !isGuarded(read, 3, by: scope.facts) else { break }
            return missing(read, 3, "the run may have ended before `\(id)` completed", target.output)
        }
        return readsOutput ? innerProblem(read, 3, of: outline.steps[step], by: scope.facts) : nil
    }

    /// Reads of a group's output: its steps may have been skipped in turn.
    ///
    /// - Parameter depth: how much of the path leads to the group's output.
    private func innerProblem(
        _ read: Reference, _ depth: Int, of group: StepOutline.Step, by facts: ConditionFacts
    ) -> ReadProblem? {
        guard let inner = group.inner, !group.isLoop, read.path.count > depth else { return nil }
        guard let step = inner.indices[read.path[depth]] else { return nil }
        let id = inner.steps[step].id
        if case .none = inner.steps[step].output { return noOutput(id, inner.steps[step]) }
        if !inner.order.completesSurely(step), !isGuarded(read, depth + 1, by: facts) {
            return missing(read, depth + 1, reason(step, id, inner), inner.steps[step].output)
        }
        return innerProblem(read, depth + 1, of: inner.steps[step], by: facts)
    }

    private func missing(
        _ read: Reference, _ count: Int, _ reason: String, _ output: StepOutline.OutputShape
    ) -> ReadProblem {
        let path = read.path.prefix(count).joined(separator: ".")
        return (
            "`\(path)` may be missing here: \(reason)",
            "write `\(rewrite(read, count, output))`, or give the step `if: has(\(path))`"
        )
    }

    /// Whether the expression itself, or an `if` before it, makes sure of the first `count` names.
    private func isGuarded(_ read: Reference, _ count: Int, by facts: ConditionFacts) -> Bool {
        read.strictCount < count
            || facts.known.contains { $0.count >= count && $0.prefix(count).elementsEqual(read.path.prefix(count)) }
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
            // A step that is visited again may look back at its own last visit.
            if isMachine || outline.steps[step].fields.node("while") != nil { return nil }
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
        if fields.node("while") != nil { return "`\(id)` has a `while` and may never be visited" }
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

    /// The read as it stands with a way out where there is no output, whose name is the last of the first `count`.
    private func rewrite(_ read: Reference, _ count: Int, _ output: StepOutline.OutputShape) -> String {
        var text = read.path.prefix(count - 1).joined(separator: ".") + ".?" + read.path[count - 1]
        var shape = output.shape
        for name in read.path.dropFirst(count) {
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
    func start(of reference: Reference) -> SourcePlace? {
        let before = source.utf8.prefix(reference.offset + 1)
        let text = String(decoding: before, as: UTF8.self)
        guard let root = reference.path.first, let range = text.ranges(of: root).last else {
            return place(at: reference.offset)
        }
        return place(at: text.utf8.distance(from: text.startIndex, to: range.lowerBound))
    }
}

import WaybillExpressions

// What is sensitive must not be read where its value would be recorded.

extension ExpressionReader {
    func refuseSensitive(_ expression: Expression, in scope: ExpressionScope, _ outline: StepOutline) {
        for read in expression.references {
            guard let step = outline.sensitiveStep(read.path, from: scope.viewpoint) else { continue }
            report.error(
                "the output of `\(step)` is sensitive, and would be recorded here", at: expression.start(of: read),
                hint: "a process may read it by `env` or `stdin`, and conditions may")
            return
        }
    }
}

extension StepOutline {
    /// The sensitive step whose output a path reads.
    func sensitiveStep(_ path: [String], from viewpoint: ExpressionScope.Viewpoint) -> String? {
        if path.first == "output", case .after(let index) = viewpoint {
            // A capability's own step is in no plan.
            guard steps.indices.contains(index), steps[index].isSensitive else { return nil }
            return steps[index].id
        }
        guard path.first == "steps" else { return nil }
        guard path.count > 1 else { return nil }
        var outline: StepOutline? = self
        while let here = outline {
            if let index = here.indices[path[1]] { return here.steps[index].sensitive(path.dropFirst(2)) }
            outline = here.outer
        }
        return nil
    }

    private var outer: StepOutline? {
        switch surroundings {
        case .none: nil
        case .group(let outline, _), .after(let outline): outline
        }
    }
}

extension StepOutline.Step {
    var isSensitive: Bool { fields.fields("output")?.flag("sensitive") == true }

    /// The sensitive step that a path from this one on reads: itself, or, in a group, one that the group keeps to itself.
    fileprivate func sensitive(_ path: ArraySlice<String>) -> String? {
        guard path.isEmpty || path.first == "output" || path.first == "items" else { return nil }
        if isSensitive { return id }
        let rest = path.dropFirst()
        guard let inner, let name = rest.first, let index = inner.indices[name] else { return nil }
        return inner.steps[index].sensitive(["output"] + rest.dropFirst())
    }
}

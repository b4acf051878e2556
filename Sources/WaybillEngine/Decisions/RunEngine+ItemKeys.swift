import WaybillCore
import WaybillExpressions
import WaybillManifests

// `forEach.key`: what tells the items of a loop apart in `items[]`.

extension RunEngine {
    /// Evaluates the key of every item before the first begins: each must be there, and no two the same.
    func checkKeys(
        of loop: ForEachAction, _ items: [Value], in scope: RunScope
    ) throws(EvaluationFailure) {
        guard let key = loop.key else { return }
        var seen: [String: Int] = [:]
        for (index, item) in items.enumerated() {
            let value: Value?
            do throws(ExpressionError) {
                value = try key.value(in: ItemScope(around: scope, item: item, index: index))
            } catch {
                var failure = failure(error, in: "forEach.key", reading: key.references)
                failure.message += " (item \(index))"
                throw EvaluationFailure(failure)
            }
            let text = value.map(Self.keyText) ?? String(index)
            if let other = seen.updateValue(index, forKey: text) {
                let message = "forEach.key: the items \(other) and \(index) have the same key '\(text)'"
                throw EvaluationFailure(Failure(.expression, message))
            }
        }
    }

    /// The key of the item that a step is the body of, as `forEach.key` names it; nil for other steps, and where an entry
    /// has said it already.
    func newItemKey(of id: InstanceID) -> String? {
        guard id.frame != Frame.root, let frame = state.frames[id.frame], let item = frame.item,
            let parent = frame.parent,
            case .forEach(let action) = state.definition(of: parent).action, let key = action.key,
            state[parent].loop?.keyOfItem(item) == nil
        else { return nil }
        // What it reads may have changed since the loop began; then the item goes by its number.
        return (try? key.value(in: RunScope(self, id, visit: max(1, state[id].visit)))).map(Self.keyText)
    }

    private static func keyText(_ value: Value) -> String {
        ValueLimits.shortened(value.stringValue ?? String(decoding: JSON.compact(value), as: UTF8.self))
    }
}

/// A loop's scope with one of its items.
private struct ItemScope: Scope {
    let scope: RunScope
    let item: Value
    let index: Int

    init(around scope: RunScope, item: Value, index: Int) {
        self.scope = scope
        self.item = item
        self.index = index
    }

    var zones: any TimeZoneSource { scope.zones }

    func variable(_ name: String) -> CELValue? {
        switch name {
        case "item": CELValue(item)
        case "index": CELValue(.int(Int64(index)))
        default: scope.variable(name)
        }
    }
}

import WaybillCore

// What a parent tells its sub-runs. The orders come through the same door as everybody's control files, and may come
// twice: one that was obeyed, or that a newer one has overtaken, changes nothing.

/// A parent's order, as a control file has it: `{"parent": "<run>", "order": "cancel", "seq": 17, "reason": "..."}`.
package struct ParentOrder: Sendable, Hashable {
    var word: ChildOrder
    /// The entry of the parent's ledger that it follows from.
    var seq: Int
    var parent: String

    /// Nil where the body is no order.
    init?(_ body: Object) {
        guard let parent = body["parent"]?.stringValue,
            let word = body["order"]?.stringValue.flatMap(ChildOrder.init), let seq = body["seq"]?.intValue
        else { return nil }
        self.word = word
        self.seq = Int(seq)
        self.parent = parent
    }

    /// The control file's name in the sub-run's inbox, and its bytes.
    package static func file(
        _ order: ChildOrder, parent: String, seq: Int, reason: String
    ) -> (name: String, bytes: [UInt8]) {
        let kind: ControlKind =
            switch order {
            case .resume: .resume
            case .pause: .pause
            case .cancel, .abort: .cancel
            }
        let body: Value = [
            "parent": .string(parent), "order": .string(order.rawValue), "seq": .int(Int64(seq)),
            "reason": .string(reason),
        ]
        return ("\(kind.key)--\(order.rawValue)-\(seq).json", JSON.compact(body))
    }
}

extension RunEngine {
    /// Why an order changes nothing; nil if it is to be obeyed.
    func objection(to order: ParentOrder) -> String? {
        // A run that was only joined, because it had the id already, is not theirs to order about.
        guard order.parent == state.parentRun else { return "the run was not called by \(order.parent)" }
        if order.seq < state.lastOrder { return "a newer order of \(order.parent) came before" }
        switch order.word {
        case .cancel: return state.ending == .cancellation ? "the run is being cancelled already" : nil
        case .abort: return state.isAborted ? "the run is being ended already" : nil
        case .pause: return objection(to: .pause, Object())
        case .resume: return state.isPausedByParent ? nil : "the run was not paused by \(order.parent)"
        }
    }

    mutating func obey(_ order: ParentOrder, _ body: Object) throws(EngineError) {
        switch order.word {
        case .pause: break
        case .resume: try carryOut(.resume, body, actor: .parent, by: order.parent)
        case .cancel: try carryOut(.cancel, body, actor: .parent, by: order.parent)
        case .abort:
            // The first one undoes, the second one ends: here nobody has time for the first.
            if state.ending != .cancellation { try carryOut(.cancel, body, actor: .parent, by: order.parent) }
            if !state.isAborted { try carryOut(.cancel, body, actor: .parent, by: order.parent) }
        }
    }
}

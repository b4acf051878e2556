import WaybillCore

// Entries that nothing is decided upon: they say what was done to the ledger.

extension RunEngine {
    /// Records something that is no part of the workflow's logic, as a decision of its own.
    package mutating func record(_ noted: EntryDraft, at moment: Moment) throws(EngineError) -> Decision {
        draft = Draft()
        draft.moment = moment
        try emit(
            noted.type, actor: noted.actor, by: noted.by, step: noted.step, visit: noted.visit, attempt: noted.attempt,
            noted.data)
        return seal()
    }

    /// The decision, and behind it a signature of its head if the run comes to rest with it. Both are one write.
    package mutating func signed(
        _ decision: Decision, by sign: HeadSigner, at moment: Moment
    ) throws(EngineError) -> Decision {
        guard decision.entries.contains(where: { $0.entry.type.isRest || $0.entry.type == .erased }),
            let draft = sign(LedgerHead(seq: state.seq, digest: state.head, ts: state.lastTimestamp, length: 0))
        else { return decision }
        let signature = try record(draft, at: moment)
        var whole = decision
        whole.entries += signature.entries
        whole.lines += signature.lines
        return whole
    }
}

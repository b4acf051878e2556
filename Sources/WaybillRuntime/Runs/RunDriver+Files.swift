import SystemPackage
import WaybillCore
import WaybillEngine
import WaybillPorts
import WaybillStore

// What lies in the run's inbox, and in the common one under its name: claimed, judged by the engine, and settled.

extension RunDriver {
    func readInboxes(_ session: RunSession, _ wake: Wake) throws(RuntimeError) {
        lookAgainAt = nil
        heldNames = []
        heldCommonNames = []
        waitsWhenHeld = Set(session.state.waits.keys)
        // What was just moved in comes first, however much junk lies beside it.
        for name in wake.completeNames { try take(name, from: session.door, session) }
        if !wake.commonNames.isEmpty, let common = try commonDoor() {
            for name in wake.commonNames { try take(name, from: common, session) }
        }
        do {
            let scan = try session.door.scan()
            while let slice = try scan.next(limit: Self.scanSlice, now: tree.clock.now()) {
                for candidate in slice { try consider(candidate, session) }
            }
        } catch {
            throw RuntimeError(wrapping: error)
        }
    }

    private func consider(_ candidate: InboxCandidate, _ session: RunSession) throws(RuntimeError) {
        if candidate.readyAt > tree.clock.now() {
            lookAgainAt = min(lookAgainAt ?? candidate.readyAt, candidate.readyAt)
        } else {
            try take(candidate.name, from: session.door, session)
        }
    }

    private func commonDoor() throws(RuntimeError) -> InboxDoor? {
        do throws(FileSystemError) {
            return try tree.runsDirectory.openDirectory("inbox").map { InboxDoor($0) }
        } catch {
            throw RuntimeError(StoreError(error))
        }
    }

    /// Claims one file and lets the engine judge it; a file that came early stays where it is.
    private func take(
        _ name: FilePath.Component, from door: InboxDoor, _ session: RunSession
    ) throws(RuntimeError) {
        let isCommon = door.directory !== session.door.directory
        guard let answer = InboxFile.answerName(name, isCommon: isCommon) else { return }
        if !answer.isControl, session.state.disposition(ofKey: answer.key) == .early {
            if isCommon {
                if !heldCommonNames.contains(name) { heldCommonNames.append(name) }
            } else if !heldNames.contains(name) {
                heldNames.append(name)
            }
            return
        }
        let claimed: ClaimedFile?
        do throws(FileSystemError) {
            claimed = try door.claim(name)
        } catch  where error.code == .denied {
            // What the daemon may not move it cannot judge; it lies there for `doctor` to name.
            return
        } catch {
            throw RuntimeError(StoreError(error))
        }
        guard let claimed else { return }
        try judge(claimed, answer, of: door, session)
    }

    private func judge(
        _ claimed: ClaimedFile, _ answer: AnswerName, of door: InboxDoor, _ session: RunSession
    ) throws(RuntimeError) {
        if session.state.phase.isEnded { return try refuse(claimed, answer, of: door, session) }
        let effects = try session.handle(.file(InboxFile(claimed, answer)))
        for effect in effects {
            if case .settle(let settlement) = effect {
                try InboxSettling(session: session, door: door).settle(claimed, settlement)
            }
        }
        try perform(effects, session)
    }

    /// Judges again what was claimed when the last owner stopped.
    func settleLeftovers(_ session: RunSession) throws(RuntimeError) {
        do {
            for name in try session.door.leftovers() {
                guard let claimed = try session.door.reclaim(name),
                    let answer = InboxFile.answerName(claimed.name, isCommon: false)
                else { continue }
                try judge(claimed, answer, of: session.door, session)
            }
        } catch {
            throw RuntimeError(wrapping: error)
        }
    }

    /// A file for a run that has ended: refused in the journal, kept in the run's `rejected/`.
    private func refuse(
        _ claimed: ClaimedFile, _ answer: AnswerName, of door: InboxDoor, _ session: RunSession
    ) throws(RuntimeError) {
        let message = "the run has ended (\(session.state.status.rawValue))"
        try JournalRefusal(tree: tree).refuse(
            claimed, of: door, into: session.receipts, type: .answerRefused, kind: .unknownWait, message: message,
            run: run)
    }

    func refuseRest(_ session: RunSession) throws(RuntimeError) {
        do {
            let scan = try session.door.scan()
            while let slice = try scan.next(limit: Self.scanSlice, now: tree.clock.now()) {
                for candidate in slice {
                    guard let answer = InboxFile.answerName(candidate.name, isCommon: false),
                        let claimed = try session.door.claim(candidate.name)
                    else { continue }
                    try refuse(claimed, answer, of: session.door, session)
                }
            }
        } catch {
            throw RuntimeError(wrapping: error)
        }
    }
}

import SystemPackage
import WaybillCore
import WaybillEngine
import WaybillPorts
import WaybillStore

// What a driver does with the files in its run's inbox, and with those in the common one that are addressed to it.

extension RunDriver {
    private static let scanSlice = 256

    func readInboxes(_ session: RunSession, _ wake: Wake) throws(RuntimeError) {
        unripe = wake.unripeAnswers
        heldNames = []
        heldCommonNames = []
        waitsWhenHeld = Set(session.state.waits.keys)
        commonClaims += wake.commonClaims
        if !commonClaims.isEmpty, let common = try commonDoor() { try settleLeftovers(commonClaims, common, session) }
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
            let key = InboxFile.answerName(candidate.name, isCommon: false)?.key ?? ""
            unripe.append(
                UnripeAnswer(key: key, readyAt: candidate.readyAt, quietTime: session.door.limits.quietTime))
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
        if isCommon { commonClaims.append(claimed.claimedName) }
        try judge(claimed, answer, of: door, session)
        if isCommon { commonClaims.removeLast() }
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
            try settleLeftovers(try session.door.leftovers(), session.door, session)
        } catch {
            throw RuntimeError(wrapping: error)
        }
    }

    private func settleLeftovers(
        _ names: [FilePath.Component], _ door: InboxDoor, _ session: RunSession
    ) throws(RuntimeError) {
        guard !names.isEmpty else { return }
        let isCommon = door.directory !== session.door.directory
        let settled = try SettledFiles(session)
        for name in names {
            let reclaimed: ClaimedFile?
            do throws(FileSystemError) {
                reclaimed = try door.reclaim(name)
            } catch {
                throw RuntimeError(StoreError(error))
            }
            if let claimed = reclaimed, let answer = InboxFile.answerName(claimed.name, isCommon: isCommon) {
                if let entry = settled.entry(of: claimed) {
                    try InboxSettling(session: session, door: door).settle(claimed, by: entry)
                } else {
                    try judge(claimed, answer, of: door, session)
                }
            }
            if isCommon { commonClaims.removeAll { $0 == name } }
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
            guard !heldCommonNames.isEmpty, let common = try commonDoor() else { return }
            for name in heldCommonNames {
                guard let answer = InboxFile.answerName(name, isCommon: true), let claimed = try common.claim(name)
                else { continue }
                try refuse(claimed, answer, of: common, session)
            }
            heldCommonNames = []
        } catch {
            throw RuntimeError(wrapping: error)
        }
    }
}

import SystemPackage
import WaybillCore
import WaybillEngine
import WaybillManifests
import WaybillPorts
import WaybillStore

// What a driver does with the files in its run's inbox, and with those in the common one that are addressed to it.

extension RunDriver {
    private static let scanSlice = 256
    /// So many files that a scan found are judged before everything else has its turn again.
    private static let filesPerTurn = 512

    func readInboxes(_ session: RunSession, _ wake: Wake) throws(RuntimeError) {
        unripe = [:]
        lookAgainAt = nil
        // One that is ripe by now is for the common inbox's next look; another look at this run finds nothing new.
        let now = tree.clock.now()
        for answer in wake.unripeAnswers where answer.readyAt > now { note(answer, session) }
        heldNames = HeldNames()
        heldCommonNames = HeldNames()
        waitsWhenHeld = Set(session.state.waits.keys)
        completeNames = Set(wake.completeNames + wake.commonNames)
        // It may be told of one more than once.
        for name in wake.commonClaims where !commonClaims.contains(name) { commonClaims.append(name) }
        if !commonClaims.isEmpty, let common = try commonDoor() { try settleLeftovers(commonClaims, common, session) }
        // What was just moved in comes first, however much junk lies beside it.
        for name in wake.completeNames { try take(name, from: session.door, session) }
        if !wake.commonNames.isEmpty, let common = try commonDoor() {
            for name in wake.commonNames { try take(name, from: common, session) }
        }
        try scanInbox(session)
    }

    /// Looks through the inbox. Where it is full of junk the rest is left for another turn, which comes at once, and
    /// before which whatever was moved in meanwhile has its own.
    private func scanInbox(_ session: RunSession) throws(RuntimeError) {
        isScanUnfinished = false
        // What is left at the end is refused then.
        guard !session.state.phase.isEnded else { return }
        var taken = 0
        do {
            let scan = try session.door.scan()
            while let slice = try scan.next(limit: Self.scanSlice, now: tree.clock.now()) {
                for candidate in slice {
                    if try consider(candidate, session) { taken += 1 }
                }
                guard taken < Self.filesPerTurn else {
                    isScanUnfinished = true
                    lookAgainAt = tree.clock.now()
                    return
                }
            }
        } catch {
            throw RuntimeError(wrapping: error)
        }
    }

    /// - Returns: whether it was claimed.
    private func consider(_ candidate: InboxCandidate, _ session: RunSession) throws(RuntimeError) -> Bool {
        if candidate.readyAt <= tree.clock.now() { return try take(candidate.name, from: session.door, session) }
        let key = InboxFile.answerName(candidate.name, isCommon: false)?.key ?? ""
        note(
            UnripeAnswer(key: key, readyAt: candidate.readyAt, quietTime: session.door.limits.quietTime), session)
        return false
    }

    /// Remembers that a file cannot be taken yet: for each wait with a deadline the last one that is in time.
    private func note(_ answer: UnripeAnswer, _ session: RunSession) {
        lookAgainAt = min(lookAgainAt ?? answer.readyAt, answer.readyAt)
        guard let until = session.state.waits[answer.key]?.until, answer.changedAt <= until else { return }
        if let known = unripe[answer.key], known.readyAt >= answer.readyAt { return }
        unripe[answer.key] = answer
    }

    private func commonDoor() throws(RuntimeError) -> InboxDoor? {
        do throws(FileSystemError) {
            let keeper = try tree.runsDirectory.status("inbox")?.userID
            return try tree.runsDirectory.openDirectory("inbox").map { tree.door(to: $0, keeper: keeper) }
        } catch {
            throw RuntimeError(StoreError(error))
        }
    }

    /// Claims one file and lets the engine judge it; a file that came early stays where it is.
    ///
    /// - Returns: whether it was claimed.
    @discardableResult
    private func take(
        _ name: FilePath.Component, from door: InboxDoor, _ session: RunSession
    ) throws(RuntimeError) -> Bool {
        let isCommon = door.directory !== session.door.directory
        if let signed = name.signedName {
            // A signature comes with its answer, or waits for it.
            guard try status(of: signed, door) == nil else { return try take(signed, from: door, session) }
            if isCommon { heldCommonNames.insert(name) }
            return false
        }
        guard let answer = InboxFile.answerName(name, isCommon: isCommon) else { return false }
        if !answer.isControl, session.state.disposition(ofKey: answer.key) == .early {
            if isCommon { heldCommonNames.insert(name) } else { heldNames.insert(name) }
            return false
        }
        if try isAwaitingSignature(name, answer, door, session) {
            if isCommon { heldCommonNames.insert(name) }
            return false
        }
        let claimed: ClaimedFile?
        do throws(FileSystemError) {
            claimed = try door.claim(name)
        } catch  where error.code == .denied {
            // What the daemon may not move it cannot judge; it lies there for `doctor` to name.
            return false
        } catch {
            if isCommon { environment.commonClaimFailed() }
            throw RuntimeError(StoreError(error))
        }
        guard let claimed else { return false }
        if isCommon { commonClaims.append(claimed.claimedName) }
        try judge(claimed, answer, of: door, session)
        if isCommon { commonClaims.removeLast() }
        return true
    }

    private func judge(
        _ claimed: ClaimedFile, _ answer: AnswerName, of door: InboxDoor, _ session: RunSession
    ) throws(RuntimeError) {
        if session.state.phase.isEnded { return try refuse(claimed, answer, of: door, session) }
        var file = InboxFile(claimed, answer)
        let signature = try claimSignature(of: claimed, door)
        InboxAuthor(tree: tree, session: session).complete(&file, signature: signature, now: tree.clock.now())
        let effects = try session.handle(.file(file))
        for effect in effects {
            if case .settle(let settlement) = effect {
                try InboxSettling(session: session, door: door).settle(claimed, settlement)
            }
        }
        // What counts of it stands in the entry.
        if let signature {
            try discard(signature, door)
            commonClaims.removeAll { $0 == signature.claimedName }
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
        claimedSignatures = [:]
        var answers: [ClaimedFile] = []
        for name in names {
            guard let claimed = try reclaim(name, door) else { continue }
            if let signed = claimed.name.signedName {
                claimedSignatures[signed] = claimed
            } else {
                answers.append(claimed)
            }
        }
        for claimed in answers {
            if let answer = InboxFile.answerName(claimed.name, isCommon: isCommon) {
                if let entry = settled.entry(of: claimed) {
                    try InboxSettling(session: session, door: door).settle(claimed, by: entry)
                } else {
                    try judge(claimed, answer, of: door, session)
                }
            }
            if isCommon { commonClaims.removeAll { $0 == claimed.claimedName } }
        }
        // Their answers were settled.
        for signature in claimedSignatures.values {
            try discard(signature, door)
            commonClaims.removeAll { $0 == signature.claimedName }
        }
        claimedSignatures = [:]
    }

    private func reclaim(_ name: FilePath.Component, _ door: InboxDoor) throws(RuntimeError) -> ClaimedFile? {
        do throws(FileSystemError) {
            return try door.reclaim(name)
        } catch {
            throw RuntimeError(StoreError(error))
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

    /// Refuses what nobody will answer any more: a file each up to a limit, the rest counted.
    func refuseRest(_ session: RunSession) throws(RuntimeError) {
        var counted = 0
        do {
            let scan = try session.door.scan()
            var refused = 0
            while let slice = try scan.next(limit: Self.scanSlice, now: tree.clock.now()) {
                for candidate in slice {
                    guard let answer = InboxFile.answerName(candidate.name, isCommon: false),
                        let claimed = try session.door.claim(candidate.name)
                    else { continue }
                    refused += 1
                    if refused <= RejectionLimits.count {
                        try refuse(claimed, answer, of: session.door, session)
                    } else {
                        try session.door.discard(claimed)
                        counted += 1
                    }
                }
            }
            if counted > 0 { try JournalRefusal(tree: tree).count(counted, type: .answerRefused, run: run) }
            try refuseHeld(session)
        } catch {
            throw RuntimeError(wrapping: error)
        }
    }

    /// Refuses what lies in the common inbox for waits that will not open any more.
    private func refuseHeld(_ session: RunSession) throws {
        guard !heldCommonNames.names.isEmpty, let common = try commonDoor() else { return }
        do {
            for name in heldCommonNames.names {
                guard let answer = InboxFile.answerName(name, isCommon: true), let claimed = try common.claim(name)
                else { continue }
                try refuse(claimed, answer, of: common, session)
            }
        } catch {
            // Something may be claimed now that is in no list.
            environment.commonClaimFailed()
            throw error
        }
        heldCommonNames = HeldNames()
    }
}

// MARK: - Signatures

extension RunDriver {
    /// How long an answer waits for its signature (contract, Appendix C, "Answers").
    private static let signatureTime = Duration.seconds(10)

    /// Whether an answer's signature may still come, or is being written.
    private func isAwaitingSignature(
        _ name: FilePath.Component, _ answer: AnswerName, _ door: InboxDoor, _ session: RunSession
    ) throws(RuntimeError) -> Bool {
        let author = InboxAuthor(tree: tree, session: session)
        guard !author.rules(for: answer).allSatisfy(\.signers.isEmpty), let file = try status(of: name, door),
            file.kind == .file, author.needsSignature(answer, owner: file.userID)
        else { return false }
        let now = tree.clock.now()
        var (since, time) = (file.changed, Self.signatureTime)
        if let signatureName = name.signatureName, let signature = try status(of: signatureName, door) {
            if completeNames.contains(signatureName) || signature.kind != .file { return false }
            (since, time) = (signature.changed, door.limits.quietTime)
        }
        // A time ahead of the clock says that the clock was set back: waiting for it could take years.
        guard since + time > now, since <= now + time else { return false }
        note(UnripeAnswer(key: answer.key, readyAt: since + time, quietTime: since + time - file.changed), session)
        return true
    }

    /// Takes the signature out of the inbox that lies beside an answer that was taken.
    private func claimSignature(of answer: ClaimedFile, _ door: InboxDoor) throws(RuntimeError) -> ClaimedFile? {
        if let claimed = claimedSignatures.removeValue(forKey: answer.name) { return claimed }
        guard let name = answer.name.signatureName else { return nil }
        do throws(FileSystemError) {
            let claimed = try door.claim(name)
            if let claimed, door.directory !== session?.door.directory { commonClaims.append(claimed.claimedName) }
            return claimed
        } catch  where error.code == .denied || error.code == .nameTooLong {
            return nil
        } catch {
            if door.directory !== session?.door.directory { environment.commonClaimFailed() }
            throw RuntimeError(StoreError(error))
        }
    }

    private func discard(_ file: ClaimedFile, _ door: InboxDoor) throws(RuntimeError) {
        do throws(FileSystemError) {
            try door.discard(file)
        } catch {
            throw RuntimeError(StoreError(error))
        }
    }

    private func status(of name: FilePath.Component, _ door: InboxDoor) throws(RuntimeError) -> FileStatus? {
        do throws(FileSystemError) {
            return try door.directory.status(FilePath(root: nil, [name]))
        } catch {
            throw RuntimeError(StoreError(error))
        }
    }
}

/// Names that are left where they are until something happens. So many are remembered; more are found by the next scan.
struct HeldNames: Sendable, Hashable {
    private static let limit = 1_000

    private(set) var names: [FilePath.Component] = []
    private var known: Set<FilePath.Component> = []

    mutating func insert(_ name: FilePath.Component) {
        guard names.count < Self.limit, known.insert(name).inserted else { return }
        names.append(name)
    }

    func contains(_ name: FilePath.Component) -> Bool { known.contains(name) }
}

import Logging
import SystemPackage
import WaybillCore
import WaybillEngine
import WaybillManifests
import WaybillPorts
import WaybillStore

// Start requests in the common inbox. What they are is judged here; the runs are made on lanes.

extension Reconciler {
    /// - Parameter fixedRun: the run that a claim's name fixed before.
    func judge(_ claimed: ClaimedFile, _ door: InboxDoor, fixedRun: RunID?) {
        guard let bytes = claimed.bytes else {
            let refusal = claimed.refusal
            return refuse(
                claimed, door, .startRefused, RefusalKind(rawValue: refusal?.kind.rawValue ?? "") ?? .type,
                refusal?.message ?? "it cannot be read")
        }
        let format = AnswerName(file: claimed.escapedName).format
        switch Reply(.any).parse(bytes, as: format) {
        case .failure(let refusal): refuse(claimed, door, .startRefused, .syntax, refusal.message)
        case .success(let value):
            if value["specversion"] != nil { return takeEvent(value, claimed, door) }
            do throws(StartRequest.Problem) {
                var request = try StartRequest(value)
                request.by = claimed.user
                request.userID = claimed.status.userID
                if let fixedRun { request.id = fixedRun.text }
                start(request, claimed, door)
            } catch {
                refuse(claimed, door, .startRefused, .schema, error.message)
            }
        }
    }

    private func start(_ request: StartRequest, _ claimed: ClaimedFile, _ door: InboxDoor) {
        if sources?.isIncomplete == true { refreshSources() }
        // Who stops leaves it to whoever comes next.
        guard let sources, !isStopping else { return unsettledClaims.append(claimed.claimedName) }
        // Events that were dropped before are before the run's start, and the others behind it.
        acceptEvents(door)
        var request = request
        let made = RunID.make(workflow: request.workflow, at: tree.clock.now(), random: services.random())
        let run = request.id.flatMap(RunID.init) ?? made
        request.id = run.text
        let journalSeq: Int
        do throws(StoreError) {
            journalSeq = try tree.events.lastSeq(following: true)
        } catch {
            return postpone(claimed, "cannot be started now: \(error.message)")
        }
        // Runs of one group stand in line as their requests came.
        let isInLine = sources.catalog.workflows[request.workflow]?.concurrency != nil
        let lease = starts.begin(run, claimed) { isInLine ? lineLane : lanes.take() }
        let start = StartOfRun(
            run: run, driverLane: isInLine ? nil : lease, request: request, claimed: claimed, door: door,
            journalSeq: journalSeq, isComplete: !sources.isIncomplete, recorded: review.recorded)
        let starter = RunStarter(tree: tree, sources: sources, limits: options.limits, definitions: definitions)
        lease.lane.submit { [weak self] in
            let outcome = start.make(starter)
            self?.post { $0.finish(start, outcome) }
        }
    }

    /// Registers a run that was made, or says why it was not.
    private func finish(_ start: StartOfRun, _ outcome: StartOfRun.Outcome) {
        var claimed = start.claimed
        let (held, isSeen) = starts.end(start.run, claimed)
        claimed.claimedName = outcome.claimedName
        switch outcome.result {
        case .success(let started):
            if let failure = outcome.removal { postpone(claimed, "cannot be removed now: \(failure.description)") }
            options.log.info("\(started.run) \(started.isNew ? "started" : "was started before")")
            if isSeen, !started.isNew { takeUpAfterAll(started.run) }
            register(started.run, held, made: JustMade(lane: start.driverLane, run: started.made))
        case .failure(let error):
            if let kind = start.refusal(for: error) {
                refuse(
                    claimed, start.door, .startRefused, kind, error.message, diagnostics: error.diagnostics,
                    verdict: error.verdict, recorded: start.recorded)
                // There is no run for these; each is judged by itself.
                review(held.commonClaims, start.door)
                commonNames = held.commonNames + commonNames
            } else {
                let isPartial = error.code == .unknownWorkflow || error.code == .invalidManifest
                let reason = isPartial ? "some of workflows/ cannot be read" : error.message
                postpone(claimed, "cannot be started now: \(reason)")
                // They are found again behind the request: these in `.claimed/`, the others in the inbox.
                unsettledClaims += held.commonClaims
            }
            // Somebody else may have made it.
            if isSeen { takeUpAfterAll(start.run) }
        }
        goOnTaking(start.door)
    }
}

/// What is known of a run that was made just now, and so need not be found out again.
struct JustMade {
    /// Where its driver goes on: the lane on which it was made, whose thread is awake; nil: on any.
    var lane: LaneLease?
    /// What it was made as; nil if it was there before.
    var run: MadeRun?

    /// Whether it ended with its first decision.
    var isOver: Bool { run?.state.phase.isEnded ?? false }
}

/// A request whose run is made on a lane.
private struct StartOfRun: Sendable {
    struct Outcome: Sendable {
        var result: Result<StartedRun, RuntimeError>
        /// The request's name in `.claimed/` by now.
        var claimedName: FilePath.Component
        /// Why the request still lies there although its run was started.
        var removal: FileSystemError?
    }

    var run: RunID
    /// Where the run's driver goes on: the lane on which it was made, whose thread is awake; nil: on any.
    var driverLane: LaneLease?
    var request: StartRequest
    var claimed: ClaimedFile
    var door: InboxDoor
    /// The journal's last entry when the request was judged.
    var journalSeq: Int
    /// Whether all of `workflows/` could be read.
    var isComplete: Bool
    var recorded: JournalRefusal.Recorded?

    func make(_ starter: RunStarter) -> Outcome {
        var claimed = claimed
        do throws(RuntimeError) {
            guard fix(&claimed) else { throw RuntimeError(.storage, "its name cannot be kept") }
            // Whoever gave it that name before may have been killed then: only what is synced here is sure.
            let started = try starter.start(request, after: journalSeq) { () throws(FileSystemError) in
                try door.synchronizeClaims()
            }
            var outcome = Outcome(result: .success(started), claimedName: claimed.claimedName)
            do throws(FileSystemError) {
                try door.discard(claimed)
            } catch {
                outcome.removal = error
            }
            return outcome
        } catch {
            return Outcome(result: .failure(error), claimedName: claimed.claimedName)
        }
    }

    /// What a request is refused for; nil where the disk is to blame, and it is tried again.
    func refusal(for error: RuntimeError) -> RefusalKind? {
        switch error.code {
        case .unknownWorkflow, .invalidManifest: isComplete ? .unknownWorkflow : nil
        case .invalidInputs: .schema
        case .conflict: .conflict
        case .policy: .policy
        case .skipped: .skipped
        default: nil
        }
    }

    /// Names a claimed request after the run it starts: once that is durable, a crash starts this run, and no other.
    ///
    /// - Returns: false where it cannot have that name.
    private func fix(_ claimed: inout ClaimedFile) -> Bool {
        guard let name = StartsUnderWay.fixedName(of: run), name != claimed.claimedName else { return true }
        do throws(FileSystemError) {
            try door.rename(&claimed, as: name)
            return true
        } catch  where error.code == .exists {
            // Another request for the same run is under way: starting is idempotent, so both may go on.
            return true
        } catch {
            return false
        }
    }
}

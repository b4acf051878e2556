import SystemPackage
import WaybillCore
import WaybillEngine
import WaybillPorts
import WaybillStore

/// What a driver knows and tells of the runs that its run called.
struct SubRuns {
    let tree: Tree
    let definitions: DefinitionCache
    let limits: EngineLimits
    /// The run that called them.
    let parent: RunID

    /// How a sub-run stands.
    enum Standing {
        case underWay(RunID)
        case ended(ChildEnd)
        /// It never was, is gone, or cannot be heard: what the parent takes for its end.
        case lost(ChildEnd)
    }

    /// Makes sure that a sub-run is there, unless it has been.
    ///
    /// - Parameter isEnding: whether the parent ends: then nothing is started for it any more, and it does not wait for a
    ///   sub-run that nobody can bring to its end.
    func attend(_ start: ChildStart, isEnding: Bool) throws(RuntimeError) -> Standing {
        guard let run = RunID(start.run) else {
            return lost(start.run, .failed, Failure(.internal, "'\(start.run)' is no run id"))
        }
        do {
            if let known = try tree.journal.run(run, following: true) {
                if known.isPruned {
                    return lost(run.text, .failed, Failure(.internal, "it was pruned before it was heard"))
                }
                if try tree.runs.open(run) == nil {
                    return lost(run.text, .failed, Failure(.internal, "its folder is gone"))
                }
                // An id that somebody chose may be that of another run.
                let digest = RunStart.digest(workflow: start.workflow, inputs: start.inputs)
                guard start.undoes != nil || known.inputs == digest else {
                    let message = "the id \(run) is taken by a run with another workflow or other inputs"
                    return lost(run.text, .failed, Failure(.executor, message))
                }
                if known.ended != nil { return try ended(run, isEnding: isEnding) }
                return isEnding ? standing(of: run) : .underWay(run)
            } else if isEnding, try tree.runs.open(run) == nil {
                return lost(run.text, .cancelled, Failure(.cancelled, "it was never started"))
            }
            try SubRunStarter(tree: tree, definitions: definitions, limits: limits).start(start, run, of: parent)
            return .underWay(run)
        } catch let error as RuntimeError where error.code == .conflict {
            return lost(run.text, .failed, Failure(.executor, error.message))
        } catch let error as RuntimeError where Self.refusals[error.code] != nil {
            return try refused(start, error)
        } catch {
            throw RuntimeError(wrapping: error)
        }
    }

    /// How a sub-run stands for a run that ends.
    private func standing(of run: RunID) -> Standing {
        let glance = glance(run)
        if glance?["status"] == .string(RunStatus.quarantined.rawValue) {
            let failure = Failure(.internal, "its ledger cannot be trusted; nobody can end it")
            return lost(run.text, .failed, failure)
        }
        // One that was only joined takes no orders.
        if let caller = glance?["parent"], caller["run"] != .string(parent.text) {
            return lost(run.text, .cancelled, Failure(.cancelled, "it is another one's, and goes on"))
        }
        return .underWay(run)
    }

    private func ended(_ run: RunID, isEnding: Bool) throws(RuntimeError) -> Standing {
        do throws(RuntimeError) {
            if let end = try end(of: run) { return .ended(end) }
        } catch {
            // A ledger that is damaged may be repaired, and is waited for.
            guard error.code == .quarantined else { throw error }
        }
        guard isEnding else { return .underWay(run) }
        return lost(run.text, .failed, Failure(.internal, "its ledger cannot be trusted"))
    }

    /// Why a sub-run may be refused, and how its call fails then.
    private static let refusals: [RuntimeError.Code: ErrorKind] = [
        .policy: .policy, .skipped: .limit, .invalidInputs: .expression,
    ]

    /// What the parent of a sub-run that was not let in takes for its end. The journal keeps it, as it does every start that is refused.
    private func refused(_ start: ChildStart, _ error: RuntimeError) throws(RuntimeError) -> Standing {
        let request = StartRequest(
            workflow: start.workflow, inputs: start.inputs, id: start.run, by: parent.text, trigger: "parent")
        try RunStarter.recordRefusal(of: request, error, actor: .parent, in: tree)
        return .lost(
            ChildEnd(
                run: start.run, status: .failed, outputs: nil,
                error: Failure(Self.refusals[error.code] ?? .failed, error.message), head: .zero, isRefused: true))
    }

    private func lost(_ run: String, _ status: RunStatus, _ failure: Failure) -> Standing {
        .lost(ChildEnd(run: run, status: status, outputs: nil, error: failure, head: .zero))
    }

    // MARK: - The end

    /// How a run ended, from its own ledger; nil if it has not.
    private func end(of run: RunID) throws(RuntimeError) -> ChildEnd? {
        var last: LedgerScanner.Item?
        do throws(StoreError) {
            let genesis = try tree.runs.definition(of: run).digest
            _ = try tree.ledgers.scan(run, from: .start(genesis: genesis), knownHeads: [:]) { item in
                if item.entry.type == .runEnd { last = item }
            }
        } catch {
            throw RuntimeError(error)
        }
        guard let last else { return nil }
        let data = last.entry.data
        var usage = Usage()
        usage.steps = Int(data["usage"]?["steps"]?.intValue ?? 0)
        usage.started = Int(data["usage"]?["started"]?.intValue ?? 0)
        usage.retries = Int(data["usage"]?["retries"]?.intValue ?? 0)
        usage.activeMicroseconds = data["usage"]?["activeMicroseconds"]?.intValue ?? 0
        usage.tokens = data["usage"]?["tokens"]?.intValue ?? 0
        usage.cost = data["usage"]?["cost"]?.numberValue ?? 0
        let standing = data["compensation"]?["standing"]?.listValue ?? []
        let status = RunStatus(rawValue: data["status"]?.stringValue ?? "") ?? .failed
        return ChildEnd(
            run: run.text, status: status, outputs: Payload.read("outputs", from: data).flatMap { value(of: $0, run) },
            error: Failure(data["error"]), head: last.digest, canBeUndone: data["undo"] == true,
            hasStandingEffects: status != .completed && !standing.isEmpty, usage: usage)
    }

    private func value(of payload: Payload, _ run: RunID) -> Value? {
        switch payload {
        case .inline(let value): value
        case .artifact(let digest, _): RunPayloads(tree: tree, run: run).payload(digest)
        case .sealed(let digest, _): Payload.opened(RunPayloads(tree: tree, run: run).payload(digest))
        }
    }

    /// What `run.json` says.
    private func glance(_ run: RunID) -> Value? {
        guard let folder = try? tree.runs.open(run),
            let bytes = try? folder.read(RunFolder.glance, limit: 16 << 20)
        else { return nil }
        return try? JSON.parse(bytes)
    }

    // MARK: - Orders

    /// Whether an order has to be said again after a crash: going on is only for those that stand still.
    func needs(_ order: ChildOrder, _ run: RunID) -> Bool {
        order != .resume || glance(run)?["status"] == .string(RunStatus.paused.rawValue)
    }

    /// Puts an order into a sub-run's inbox.
    ///
    /// - Returns: the file's name; nil if the run has ended, or the same order lies there unread.
    func instruct(_ run: RunID, _ order: ChildOrder, seq: Int) throws(RuntimeError) -> FilePath.Component? {
        let file = ParentOrder.file(order, parent: parent.text, seq: seq, reason: reason(order))
        do {
            guard try tree.journal.run(run, following: true)?.ended == nil,
                let inbox = try tree.runsDirectory.openDirectory(FilePath(run.text).pushing(RunFolder.inbox))
            else { return nil }
            try Mailbox.drop(file.name, file.bytes, into: inbox)
            return FilePath.Component(file.name)
        } catch let error as StoreError where error.code == .exists {
            return nil
        } catch {
            throw RuntimeError(wrapping: error)
        }
    }

    private func reason(_ order: ChildOrder) -> String {
        switch order {
        case .resume: "\(parent) goes on"
        case .pause: "\(parent) pauses"
        case .cancel: "\(parent) ends"
        case .abort: "\(parent) ends at once"
        }
    }
}

import SystemPackage
import WaybillCore
import WaybillEngine

// The sub-runs of a driver's run: started, told what to do, and heard when they end.

extension RunDriver {
    private func subRuns(_ session: RunSession) -> SubRuns {
        SubRuns(tree: tree, definitions: environment.definitions, limits: environment.limits, parent: run)
    }

    private func isEnding(_ session: RunSession) -> Bool {
        session.state.childOrder == .cancel || session.state.childOrder == .abort
    }

    /// Starts the sub-run that an open wait stands for, or takes its end.
    ///
    /// - Parameter wakes: whether one that is under way is to be looked at: not by whoever was just told of it.
    func attendCall(_ key: String, _ session: RunSession, wakes: Bool = true) throws(RuntimeError) {
        guard let start = session.engine.childStart(key) else { return }
        switch try subRuns(session).attend(start, isEnding: isEnding(session)) {
        // A detached call is done once its run is there, however that ended meanwhile.
        case .ended where start.isDetached: try perform(try session.handle(.childStarted(waitKey: key)), session)
        case .ended(let end), .lost(let end):
            try perform(try session.handle(.childEnded(waitKey: key, end)), session)
        case .underWay(let child):
            if wakes { environment.wakeChild(child, Wake(), run) }
            if start.isDetached { try perform(try session.handle(.childStarted(waitKey: key)), session) }
        }
    }

    /// Looks at the sub-runs of which something was heard.
    func hear(of children: [RunID], _ session: RunSession) throws(RuntimeError) {
        if children.isEmpty { return }
        let heard = Set(children.map(\.text))
        // Several steps may have joined the same run.
        for wait in session.state.awaitedRuns where heard.contains(wait.run) {
            try attendCall(wait.key, session, wakes: false)
        }
    }

    /// Asks the state which sub-runs are awaited, and tells them again what they may not have heard.
    func recoverCalls(_ session: RunSession) throws(RuntimeError) {
        for wait in session.state.awaitedRuns { try attendCall(wait.key, session) }
        guard let order = session.state.childOrder else { return }
        for wait in session.state.awaitedRuns {
            guard let child = RunID(wait.run), subRuns(session).needs(order, child) else { continue }
            try instruct(child, order, session)
        }
    }

    /// Tells all awaited sub-runs what this run wants of them.
    func instructChildren(_ session: RunSession) throws(RuntimeError) {
        guard let order = session.state.childOrder else { return }
        for wait in session.state.awaitedRuns {
            // One that cannot be ended any more is over for this run.
            if isEnding(session) { try attendCall(wait.key, session) }
            guard session.state.waits[wait.key] != nil, let child = RunID(wait.run) else { continue }
            try instruct(child, order, session)
        }
    }

    private func instruct(_ child: RunID, _ order: ChildOrder, _ session: RunSession) throws(RuntimeError) {
        guard let name = try subRuns(session).instruct(child, order, seq: session.state.seq) else { return }
        environment.wakeChild(child, Wake(completeNames: [name]), run)
    }
}

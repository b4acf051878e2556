import WaybillEngine
import WaybillPorts

extension RunDriver {
    /// As `launch` for a process. The request is written down before it is sent, and its end when it came.
    func send(_ attempt: Attempt, _ session: RunSession) throws(RuntimeError) -> AttemptResult? {
        let now = tree.clock.now()
        let request: HTTPRequestSpec
        do throws(RequestProblem) {
            request = try session.host.exchangeRequest(attempt)
        } catch {
            return AttemptResult(outcome: .notStarted(error.message), startedAt: now, endedAt: now)
        }
        let host = session.host
        try host.writeRequest(attempt, at: now)
        let call = environment.performer.perform(request) { outcome in
            self.post { driver in
                // What cannot be written can still be decided upon, by this daemon if by no other.
                try? host.writeExchange(outcome, of: attempt.reference)
                driver.ended(attempt, .exchange(outcome))
            }
        }
        attempts[attempt.reference] = RunningExchange(call: call)
        return nil
    }
}

import WaybillEngine
import WaybillPorts

extension RunDriver {
    /// As `launch` for a process. The request is written down before it is sent, and its end when it came.
    func send(
        _ attempt: Attempt, _ secrets: AttemptSecrets?, _ session: RunSession
    ) throws(RuntimeError) -> AttemptResult? {
        let host = session.host
        var request: HTTPRequestSpec
        do throws(RequestProblem) {
            request = try host.exchangeRequest(attempt)
        } catch {
            return notLaunched(.notStarted(error.message))
        }
        var masks: SecretMasks?
        if let secrets {
            do throws(SecretError) {
                masks = try host.add(secrets, to: &request, of: attempt)
            } catch {
                return notLaunched(.withoutSecret(error.message))
            }
        }
        try host.writeRequest(attempt, at: tree.clock.now())
        let call = environment.performer.perform(request) { [masks] outcome in
            let outcome = masks.map { outcome.masked(by: $0) } ?? outcome
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

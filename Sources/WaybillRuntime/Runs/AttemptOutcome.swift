import WaybillEngine
import WaybillPorts

/// How an attempt ended, whatever carried it out.
enum AttemptOutcome: Sendable {
    case process(ProcessOutcome)
    case exchange(HTTPOutcome)

    /// Whether it was ended from here, before its time.
    var wasStopped: Bool {
        switch self {
        case .process(let outcome): outcome.stop == .request
        case .exchange(let outcome): outcome.failure?.kind == .cancelled
        }
    }

    /// Whether nothing can have come of it: it can be begun again as if it had not been.
    var leftNothing: Bool {
        switch self {
        case .process: false
        case .exchange(let outcome): outcome.failure?.mayHaveBeenSent == false
        }
    }
}

extension HTTPOutcome {
    fileprivate var failure: HTTPFailure? { if case .failure(let failure) = result { failure } else { nil } }
}

/// A request under way, to the driver that may have to end it.
struct RunningExchange: RunningProcess {
    let call: any HTTPCall

    var pid: Int32? { nil }
    func terminate(grace: Duration?) { call.cancel() }
    func kill() { call.cancel() }
}

extension AttemptHost {
    func recordedOutcome(of attempt: Attempt) throws(RuntimeError) -> AttemptOutcome? {
        if attempt.isRequest { return try recordedExchange(of: attempt.reference).map(AttemptOutcome.exchange) }
        return try recordedOutcome(of: attempt.reference).map(AttemptOutcome.process)
    }

    func result(of attempt: Attempt, _ outcome: AttemptOutcome, _ secrets: SecretKnowledge) -> AttemptResult {
        switch outcome {
        case .process(let outcome): result(of: attempt, outcome, secrets)
        case .exchange(let outcome): Self.result(outcome)
        }
    }

    /// Whether an attempt was begun: the first of its files is created before it.
    func wasLaunched(_ attempt: Attempt) -> Bool {
        wasLaunched(attempt.reference, mark: attempt.isRequest ? Self.exchange.request : Self.logs.stdout)
    }
}

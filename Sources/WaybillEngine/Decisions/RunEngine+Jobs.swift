import WaybillCore
import WaybillExpressions
import WaybillManifests

// Steps that serve another one: the check of an unknown outcome, the poll of a job elsewhere.

extension RunEngine {
    mutating func beginCheck(_ id: InstanceID, _ reason: String) throws(EngineError) {
        try askAboutOutcome(id, reason)
    }

    func resolve(_ job: JobWait, timeout: Duration?, in scope: RunScope) throws(EvaluationFailure) -> Object {
        throw EvaluationFailure(Failure(.executor, "`wait: job` is not carried out by this version yet"))
    }

    /// Asks about a job whose time has come.
    mutating func poll(_ wait: WaitState, _ id: InstanceID) throws(EngineError) {
        throw EngineError(.unexpectedStimulus, "\(wait.key) waits for no job")
    }

    func nextTime(of cron: CronWait) throws(EvaluationFailure) -> Timestamp {
        guard let zone = definition.zones.file(zone: cron.zone) else {
            let why = definition.zones.lack ?? "there is no time zone '\(cron.zone)'"
            throw EvaluationFailure(Failure(.expression, "wait.until.timezone: \(why)"))
        }
        guard let time = cron.schedule.next(after: draft.moment.now, in: zone) else {
            let message = "wait.until.next: '\(cron.schedule.source)' never comes in the zone \(cron.zone)"
            throw EvaluationFailure(Failure(.expression, message))
        }
        return time
    }
}

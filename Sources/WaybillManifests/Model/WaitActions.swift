package import WaybillExpressions

/// `wait: {until: {next: <cron>, timezone: <zone>}}`.
package struct CronWait: Sendable {
    package var schedule: CronSchedule
    /// An IANA name; `UTC` unless said.
    package var zone: String

    package init(schedule: CronSchedule, zone: String) {
        self.schedule = schedule
        self.zone = zone
    }
}

/// `wait: {event: {type, key, match, since}}`: the first event that fits. The step's output is the event.
package struct EventWait: Sendable {
    package enum Since: String, Sendable {
        /// Events that came since the run started count.
        case run
        /// Only those that come while the step waits.
        case wait
    }

    /// The CloudEvents `type`, literally.
    package var type: String
    /// Must equal the event's extension attribute `key`; tested before `match`.
    package var key: Template?
    /// Sees the event as `event`.
    package var match: Expression?
    package var since: Since

    package init(type: String, key: Template? = nil, match: Expression? = nil, since: Since = .run) {
        self.type = type
        self.key = key
        self.match = match
        self.since = since
    }
}

/// `wait: {job: {handle, poll, every}}`: something that runs elsewhere and is asked about now and then.
///
/// `poll` is a process or a request. A process says with exit code 0 that the job is done, with 75 (EX_TEMPFAIL) that it
/// goes on, with any other code that it failed; a request with status 200, 202 or any other one.
package struct JobWait: Sendable {
    /// What names the job there. It is recorded before the first poll, and given to the poll as WAYBILL_JOB_HANDLE.
    package var handle: Template
    /// A step of its own, with the id `poll` and the outer step's `env` and `output`. Its `timeout` is that of one poll;
    /// the outer step's is that of the whole wait.
    package var poll: Plan
    /// A duration.
    package var every: Template
    /// The longest time that a poll by a process may take unless it says otherwise; a request has its own.
    package static let pollTimeout = Duration.seconds(60)

    package init(handle: Template, poll: StepDefinition, every: Template) {
        self.handle = handle
        self.poll = Plan(shape: .graph, steps: [poll])
        self.every = every
    }
}

/// One of the waits of a `first`.
package struct FirstBranch: Sendable {
    package enum Kind: Sendable {
        case wait(WaitAction)
        case ask(AskAction)
    }

    /// `[A-Za-z][A-Za-z0-9_]*`; the output's `first` when this one wins.
    package var name: String
    package var kind: Kind
    /// Of an `ask`.
    package var timeout: Duration?

    package init(name: String, kind: Kind, timeout: Duration? = nil) {
        self.name = name
        self.kind = kind
        self.timeout = timeout
    }
}

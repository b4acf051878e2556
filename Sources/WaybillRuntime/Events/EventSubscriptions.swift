package import WaybillCore
package import WaybillStore

/// An open wait for an event, as it is remembered while its run is at rest.
package struct EventInterest: Hashable, Sendable {
    package var waitKey: String
    package var type: String
    /// Nil: events with any key, and with none.
    package var key: String?
    /// The journal was looked through up to here, and nothing fitted.
    package var examined: Int

    package init(waitKey: String, type: String, key: String?, examined: Int) {
        self.waitKey = waitKey
        self.type = type
        self.key = key
        self.examined = examined
    }
}

/// Which runs wait for which events, so that one event wakes those alone that it may concern.
///
/// Costs some hundred bytes for a run that waits, and per event as much as runs are woken.
package struct EventSubscriptions: Sendable {
    private struct Topic: Hashable {
        var type: UInt32
        /// `EventIndex.number(ofKey:)`; 0: whatever the key is.
        var key: UInt64
    }

    /// The runs of one topic, and how far each of them looked. Most keys are waited for by one run.
    private enum Waiters {
        case one(RunID, Int)
        case many([RunID: Int])
    }

    /// Types by number: there are few, and every run that waits names some.
    private var types: [String: UInt32] = [:]
    private var topics: [RunID: [Topic]] = [:]
    private var waiters: [Topic: Waiters] = [:]

    package init() {}

    /// How many runs wait for events.
    package var count: Int { topics.count }

    /// Replaces what a run waits for.
    package mutating func set(_ interests: [EventInterest], of run: RunID) {
        remove(run)
        if interests.isEmpty { return }
        var examined: [Topic: Int] = [:]
        for interest in interests {
            let topic = Topic(type: number(of: interest.type), key: EventIndex.number(ofKey: interest.key))
            examined[topic] = min(examined[topic] ?? .max, interest.examined)
        }
        for (topic, examined) in examined { add(run, examined, to: topic) }
        topics[run] = Array(examined.keys)
    }

    /// A run that waits for nothing any more.
    package mutating func remove(_ run: RunID) {
        for topic in topics.removeValue(forKey: run) ?? [] {
            guard case .many(var runs)? = waiters.removeValue(forKey: topic) else { continue }
            runs[run] = nil
            if !runs.isEmpty { waiters[topic] = .many(runs) }
        }
    }

    private mutating func add(_ run: RunID, _ examined: Int, to topic: Topic) {
        // Taken out, so that a dictionary of many runs has one owner and grows in place.
        switch waiters.removeValue(forKey: topic) {
        case nil: waiters[topic] = .one(run, examined)
        case .one(let first, let itsExamined)?: waiters[topic] = .many([first: itsExamined, run: examined])
        case .many(var runs)?:
            runs[run] = examined
            waiters[topic] = .many(runs)
        }
    }

    /// The runs that some of these events may concern and that have not looked at them: to be woken.
    package func runs(for arrivals: [EventIndex.Arrival]) -> [RunID] {
        // Of many events of one topic the newest decides: a burst costs as much as one event.
        var newest: [Topic: Int] = [:]
        for arrival in arrivals {
            guard let type = types[arrival.type] else { continue }
            for key in arrival.key == 0 ? [0] : [0, arrival.key] {
                newest[Topic(type: type, key: key), default: 0] = arrival.seq
            }
        }
        var found: Set<RunID> = []
        for (topic, seq) in newest {
            switch waiters[topic] {
            case nil: break
            case .one(let run, let examined)?: if examined < seq { found.insert(run) }
            case .many(let runs)?: for (run, examined) in runs where examined < seq { found.insert(run) }
            }
        }
        return found.sorted()
    }

    private mutating func number(of type: String) -> UInt32 {
        if let number = types[type] { return number }
        let number = UInt32(types.count)
        types[type] = number
        return number
    }
}

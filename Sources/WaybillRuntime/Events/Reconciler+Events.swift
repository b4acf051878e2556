import Logging
import WaybillCore
import WaybillEngine
import WaybillPorts
import WaybillStore

/// An event's file that was taken from the common inbox.
struct ClaimedEvent {
    var submission: EventSubmission
    var file: ClaimedFile
}

// Events at the door: a burst of files becomes a few writes of the journal.

extension Reconciler {
    /// More files than this are not held back for one write.
    private static let batchFiles = 256
    /// Nor more bytes: a small event may come in a large file.
    private static let batchBytes = 4 << 20
    private static let noticedAtOnce = 1_024

    /// Checks an event, and keeps it until it is accepted with those beside it.
    func takeEvent(_ value: Value, _ claimed: ClaimedFile, _ door: InboxDoor) {
        do throws(CloudEventError) {
            let submission = EventSubmission(
                try CloudEvent(value), actor: .user, by: claimed.user ?? "uid:\(claimed.status.userID)",
                file: claimed.escapedName)
            claimedEvents.append(ClaimedEvent(submission: submission, file: claimed))
        } catch {
            return refuse(claimed, door, .eventRefused, error.kind, error.message)
        }
        claimedEventBytes += claimed.bytes?.count ?? 0
        if claimedEvents.count >= Self.batchFiles || claimedEventBytes >= Self.batchBytes { acceptEvents(door) }
    }

    /// Accepts what was taken. Files go once their events are in the journal for good.
    func acceptEvents(_ door: InboxDoor) {
        let events = claimedEvents
        claimedEvents = []
        claimedEventBytes = 0
        if events.isEmpty { return }
        let acceptances: [EventAcceptance]
        do throws(StoreError) {
            acceptances = try tree.events.accept(events.map(\.submission), at: tree.clock.now())
        } catch {
            for event in events { postpone(event.file, "cannot be accepted now: \(error.message)") }
            return
        }
        noticeEvents(following: false)
        for (event, acceptance) in zip(events, acceptances) {
            switch acceptance {
            case .accepted(let seq):
                options.log.debug("\(event.file.escapedName) is event \(seq)")
                discard(event.file, door)
            case .duplicate: discard(event.file, door)
            case .conflict(let seq):
                let message = "another event with this source and id was accepted as entry \(seq) of the journal"
                refuse(event.file, door, .eventRefused, .conflict, message)
            }
        }
    }

    // MARK: - Waking

    /// Wakes the runs that wait for what is new in the journal.
    ///
    /// - Parameter following: whether other processes may have written it.
    func noticeEvents(following: Bool) {
        var following = following
        // What cannot be read now is looked for again by the next pass.
        while let arrivals = try? tree.events.arrivals(
            after: noticedEvents, limit: Self.noticedAtOnce, following: following), let last = arrivals.last
        {
            noticedEvents = last.seq
            following = false
            for run in subscriptions.runs(for: arrivals) { wake(run, Wake()) }
        }
    }

    /// Notes what a run waits for. Events that came since it looked wake it at once.
    func subscribe(_ run: RunID, to interests: [EventInterest], _ record: inout RunRecord) {
        subscriptions.set(interests, of: run)
        let hasNews = interests.contains { interest in
            // What cannot be told now is found out by the run itself.
            guard let last = try? tree.events.last(type: interest.type, key: interest.key) else { return true }
            return last > interest.examined && last <= noticedEvents
        }
        if hasNews { record.pending = record.pending ?? Wake() }
    }
}

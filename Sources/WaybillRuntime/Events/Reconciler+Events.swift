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
        for (event, acceptance) in zip(events, acceptances) {
            switch acceptance {
            case .accepted(let seq):
                options.log.debug("\(event.file.escapedName) is event \(seq)")
                // What cannot be removed is found to be accepted by the next one that keeps the door.
                try? door.discard(event.file)
            case .duplicate: try? door.discard(event.file)
            case .conflict(let seq):
                let message = "another event with this source and id was accepted as entry \(seq) of the journal"
                refuse(event.file, door, .eventRefused, .conflict, message)
            }
        }
    }
}

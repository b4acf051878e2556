import Synchronization

/// Collects what is delivered on another thread, for a test that waits for it.
final class EventLog<Event: Sendable>: Sendable {
    private let stream: AsyncStream<Event>
    private let continuation: AsyncStream<Event>.Continuation

    init() { (stream, continuation) = AsyncStream.makeStream() }

    func add(_ event: Event) { continuation.yield(event) }

    /// Waits for the first event, from now on, that `isLast` accepts; returns it and all before it.
    func events(until isLast: (Event) -> Bool) async -> [Event] {
        var found: [Event] = []
        for await event in stream {
            found.append(event)
            if isLast(event) { return found }
        }
        return found
    }
}

import Synchronization
import WaybillCore

/// Payloads that were parsed lately: what a loop goes over is read for every item, and must be parsed once.
///
/// It is bounded in the bytes that the payloads have as JSON; the newest one stays however large it is.
final class PayloadCache: Sendable {
    /// What was made of a payload.
    enum View: Hashable {
        case whole
        /// Of `steps.<id>.items`: the outputs.
        case outputs
    }

    static let byteLimit = 32 << 20

    private struct Key: Hashable {
        var digest: Digest
        var view: View
    }

    private struct Entry {
        var value: Value
        var size: Int
        var lastUse: Int
    }

    private struct Contents {
        var entries: [Key: Entry] = [:]
        var bytes = 0
        var uses = 0
    }

    private let contents = Mutex(Contents())
    private let byteLimit: Int

    init(byteLimit: Int = PayloadCache.byteLimit) { self.byteLimit = byteLimit }

    /// The value of a payload; `make` is asked where it is not remembered.
    func value(_ digest: Digest, _ view: View = .whole, size: Int, make: () -> Value?) -> Value? {
        let key = Key(digest: digest, view: view)
        let found = contents.withLock { contents -> Value? in
            contents.uses += 1
            contents.entries[key]?.lastUse = contents.uses
            return contents.entries[key]?.value
        }
        if let found { return found }
        guard let value = make() else { return nil }
        contents.withLock { contents in
            guard contents.entries[key] == nil else { return }
            contents.entries[key] = Entry(value: value, size: size, lastUse: contents.uses)
            contents.bytes += size
            // Payloads are 64 KiB and more, so there are few.
            while contents.bytes > byteLimit, contents.entries.count > 1,
                let oldest = contents.entries.min(by: { $0.value.lastUse < $1.value.lastUse })
            {
                contents.bytes -= oldest.value.size
                contents.entries[oldest.key] = nil
            }
        }
        return value
    }
}

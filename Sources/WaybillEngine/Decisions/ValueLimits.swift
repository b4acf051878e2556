package import WaybillCore

/// What a value may come to before it is refused. A ledger line that could be written and not read back would lose a run.
package enum ValueLimits {
    /// Levels of lists and maps. JSON is read to 128 levels; what surrounds a value in a ledger or checkpoint needs a few.
    package static let depth = 100
    /// Bytes of the fields of one step, which stand in the ledger as they are.
    static let intentBytes = 1 << 20
    /// Bytes of the updates of `vars` that one step makes.
    static let updateBytes = Payload.inlineLimit

    /// Bytes of what one attempt's artifacts say in the ledger: some 5,000 files.
    static let artifactBytes = 1 << 20
    /// Bytes of a message: it stands in `run.json`, which is small however a run ended.
    static let messageBytes = 4 << 10

    /// A message cut to its limit, and never inside a character's bytes.
    static func shortened(_ message: String) -> String {
        guard message.utf8.count > messageBytes else { return message }
        var bytes = Array(message.utf8.prefix(messageBytes))
        while let last = bytes.popLast(), last & 0xC0 == 0x80 {}
        return String(decoding: bytes, as: UTF8.self) + " (cut off)"
    }

    /// How outputs and answers are read.
    static let parsing = JSON.Limits(depth: depth)

    package static func isTooDeep(_ value: Value, allowed: Int = depth) -> Bool {
        switch value {
        case .list(let list): allowed == 0 || list.contains { isTooDeep($0, allowed: allowed - 1) }
        case .object(let object): allowed == 0 || object.contains { isTooDeep($0.value, allowed: allowed - 1) }
        default: false
        }
    }

    /// No more than the bytes of a value as JSON, counted until they are more than a limit.
    static func leastSize(of value: Value, upTo limit: Int) -> Int {
        switch value {
        case .null, .bool: return 4
        case .int, .double: return 1
        case .string(let text): return text.utf8.count + 2
        case .list(let list):
            var size = 2 + max(0, list.count - 1)
            for element in list where size <= limit { size += leastSize(of: element, upTo: limit - size) }
            return size
        case .object(let object):
            var size = 2 + max(0, object.count - 1)
            for (key, element) in object where size <= limit {
                size += key.utf8.count + 3 + leastSize(of: element, upTo: limit - size)
            }
            return size
        }
    }

    /// Whether a value has no more than so many bytes as JSON, which is found out without writing it where it is not close.
    static func fits(_ value: Value, in bytes: Int) -> Bool {
        if mostSize(of: value) <= bytes { return true }
        // What is large is not written down to find out how large it is.
        return leastSize(of: value, upTo: bytes) <= bytes && JSON.compact(value).count <= bytes
    }

    /// No less than the bytes of a value as JSON: every byte of a text could have to be escaped.
    private static func mostSize(of value: Value) -> Int {
        switch value {
        case .null, .bool: 5
        case .int, .double: 32
        case .string(let text): 6 * text.utf8.count + 2
        case .list(let list): list.reduce(2) { $0 + mostSize(of: $1) + 1 }
        case .object(let object): object.reduce(2) { $0 + 6 * $1.key.utf8.count + 4 + mostSize(of: $1.value) }
        }
    }

    /// About the bytes of a value as JSON; a little more than exact is near enough for a limit.
    static func size(of value: Value) -> Int {
        switch value {
        case .null, .bool: 5
        case .int, .double: 12
        case .string(let text): text.utf8.count + 2
        case .list(let list): list.reduce(2) { $0 + size(of: $1) + 1 }
        case .object(let object): object.reduce(2) { $0 + $1.key.utf8.count + 4 + size(of: $1.value) }
        }
    }
}

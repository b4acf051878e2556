import WaybillCore
import WaybillPorts

/// What a monitor has said so far, line by line (`supervision.h`).
struct MonitorReport: Sendable {
    struct Start: Sendable, Hashable {
        var monitor: Int32
        /// Nil: the program could not be started; the outcome follows.
        var program: Int32?
        var token: UInt32
        var tag: UInt64
        var mask: UInt64
    }

    /// Nothing was started, for want of something that may be there later.
    struct Refusal: Sendable, Hashable {
        var errno: Int32
    }

    private(set) var start: Start?
    private(set) var refusal: Refusal?
    private(set) var outcome: ProcessOutcome?
    private var rest: [UInt8] = []

    /// No line of numbers is longer, and no outcome: its message holds a few paths.
    private static let mostBytes = 1 << 20

    /// Takes what was read.
    mutating func take(_ bytes: some Collection<UInt8>) {
        // Whoever writes on without an end is no monitor of ours.
        guard rest.count + bytes.count <= Self.mostBytes else { return }
        rest += bytes
        while let line = nextLine() { read(line) }
    }

    /// The next line; nil if it is not whole, or the text that follows it is not.
    private mutating func nextLine() -> [Substring]? {
        guard let end = rest.firstIndex(of: UInt8(ascii: "\n")) else { return nil }
        let words = String(decoding: rest[..<end], as: UTF8.self).split(separator: " ")
        guard words.first == "E" else {
            rest.removeFirst(end + 1)
            return words
        }
        guard words.count == 2, let count = Int(words[1]), count >= 0, rest.count - end - 1 >= count else { return nil }
        let text = Array(rest[(end + 1)..<(end + 1 + count)])
        rest.removeFirst(end + 1 + count)
        outcome = (try? JSON.parse(text)).flatMap { try? ProcessOutcome(record: $0) }
        return words
    }

    private mutating func read(_ words: [Substring]) {
        switch words.first {
        case "S":
            guard words.count == 6, let monitor = Int32(words[1]), let program = Int32(words[2]),
                let token = UInt32(words[3]), let tag = UInt64(words[4]), let mask = UInt64(words[5])
            else { return }
            start = Start(
                monitor: monitor, program: program > 0 ? program : nil, token: token, tag: tag, mask: mask)
        case "R":
            guard words.count == 3, let number = Int32(words[1]) else { return }
            refusal = Refusal(errno: number)
        default: break
        }
    }
}

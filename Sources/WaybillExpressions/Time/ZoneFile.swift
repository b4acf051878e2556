/// The rules of one time zone, as the system's compiled files hold them (RFC 9636, "The Time Zone Information Format").
package struct ZoneFile: Sendable {
    /// When an offset begins to hold, in seconds since 1970, and the offset in seconds east of UTC.
    let transitions: [(start: Int64, offset: Int)]
    /// What holds before the first transition.
    private let firstOffset: Int
    /// What holds after the last one.
    let footer: ZoneRule?

    /// A place that never changes its clocks.
    package init(offsetSeconds: Int) {
        transitions = []
        firstOffset = offsetSeconds
        footer = nil
    }

    /// nil if the bytes are no such file.
    package init?(tzif bytes: [UInt8]) {
        var reader = Reader(bytes: bytes)
        guard let first = reader.header() else { return nil }
        var header = first
        var timeSize = 4
        if header.version >= 2 {
            // The first block is for old readers; the second has times of 64 bits.
            reader.position += header.blockSize(timeSize: 4)
            guard let second = reader.header() else { return nil }
            header = second
            timeSize = 8
        }
        guard reader.position + header.blockSize(timeSize: timeSize) <= bytes.count, header.typeCount > 0 else {
            return nil
        }
        let times = (0..<header.timeCount).map { _ in reader.integer(timeSize) }
        let kinds = (0..<header.timeCount).map { _ in Int(reader.integer(1) & 0xFF) }
        var offsets: [Int] = []
        for _ in 0..<header.typeCount {
            offsets.append(Int(reader.integer(4)))
            reader.position += 2
        }
        guard kinds.allSatisfy({ $0 < offsets.count }), times == times.sorted() else { return nil }
        // Some files begin at the birth of the universe, from where no sum leads on.
        let bounds = ZoneSpan.bounds
        transitions = zip(times, kinds).map { (min(max($0, bounds.lowerBound), bounds.upperBound), offsets[$1]) }
        firstOffset = offsets[0]
        reader.position += header.restSize(timeSize: timeSize)
        footer = header.version >= 2 ? ZoneRule(posix: reader.line()) : nil
    }

    /// Seconds east of UTC.
    package func offsetSeconds(at time: Int64) -> Int {
        guard let first = transitions.first, let last = transitions.last else {
            return footer?.offsetSeconds(at: time) ?? firstOffset
        }
        if time < first.start { return firstOffset }
        if time >= last.start { return footer?.offsetSeconds(at: time) ?? last.offset }
        return transitions[firstTransition(after: time) - 1].offset
    }

    /// The index of the first transition later than a moment, or their number.
    func firstTransition(after time: Int64) -> Int {
        var low = 0
        var high = transitions.count
        while low < high {
            let middle = (low + high) / 2
            if transitions[middle].start <= time { low = middle + 1 } else { high = middle }
        }
        return low
    }

    private struct Header {
        var version: Int
        var utCount, standardCount, leapCount, timeCount, typeCount, nameCount: Int

        func blockSize(timeSize: Int) -> Int {
            timeCount * (timeSize + 1) + typeCount * 6 + restSize(timeSize: timeSize)
        }
        /// What follows the types.
        func restSize(timeSize: Int) -> Int { nameCount + leapCount * (timeSize + 4) + standardCount + utCount }
    }

    private struct Reader {
        let bytes: [UInt8]
        var position = 0

        /// Big-endian, with sign.
        mutating func integer(_ size: Int) -> Int64 {
            var value: Int64 = bytes[position] >= 0x80 && size > 1 ? -1 : 0
            for byte in bytes[position..<position + size] { value = value << 8 | Int64(byte) }
            position += size
            return value
        }

        mutating func header() -> Header? {
            guard position >= 0, position + 44 <= bytes.count,
                bytes[position..<position + 4].elementsEqual("TZif".utf8)
            else { return nil }
            let version = bytes[position + 4] == 0 ? 1 : Int(bytes[position + 4]) - 0x30
            position += 20
            let counts = (0..<6).map { _ in Int(integer(4)) }
            guard counts.allSatisfy({ (0...1 << 20).contains($0) }) else { return nil }
            return Header(
                version: version, utCount: counts[0], standardCount: counts[1], leapCount: counts[2],
                timeCount: counts[3], typeCount: counts[4], nameCount: counts[5])
        }

        /// The text between two newlines.
        func line() -> String {
            guard position < bytes.count, bytes[position] == 0x0A else { return "" }
            return String(decoding: bytes[(position + 1)...].prefix { $0 != 0x0A }, as: UTF8.self)
        }
    }
}

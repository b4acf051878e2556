internal import WaybillCore
package import WaybillEngine

/// Where an entry stands in the journal: its bytes, not its meaning.
package struct JournalPlace: Hashable, Sendable {
    /// The number of the first entry of its segment.
    package var segment: Int
    /// Bytes from the beginning of the segment.
    package var offset: Int
    /// Bytes of the line, with the newline.
    package var length: Int

    package init(segment: Int, offset: Int, length: Int) {
        self.segment = segment
        self.offset = offset
        self.length = length
    }
}

/// Where the accepted events are, by type and key: places only, no payloads. A few dozen bytes for an event.
package struct EventIndex: Hashable, Sendable {
    /// What was accepted under an identity.
    package struct Known: Hashable, Sendable {
        /// Of the entry that accepted it first.
        package var seq: Int
        /// `CloudEvent.content`: the same identity with another content is a conflict.
        package var content: UInt128
    }

    /// An event, found.
    package struct Hit: Hashable, Sendable {
        package var seq: Int
        package var place: JournalPlace
    }

    /// An event as those see it who want to know whom it concerns.
    package struct Arrival: Hashable, Sendable {
        package var seq: Int
        package var type: String
        /// `EventIndex.number(ofKey:)`.
        package var key: UInt64

        package init(seq: Int, type: String, key: UInt64) {
            self.seq = seq
            self.type = type
            self.key = key
        }
    }

    fileprivate struct Record: Hashable {
        var seq: Int
        var offset: Int
        var key: UInt64
        var length: UInt32
        var type: UInt32
        var segment: UInt32
    }

    private struct TypeAndKey: Hashable {
        var type: UInt32
        var key: UInt64
    }

    /// In order of `seq`. The lists below hold positions in it.
    private var records: [Record] = []
    private var segments: [Int] = []
    private var typeNames: [String] = []
    private var typeNumbers: [String: UInt32] = [:]
    private var byType: [PositionList] = []
    private var byKey: [TypeAndKey: PositionList] = [:]
    private var identities: [UInt128: Known] = [:]

    package init() {}

    package var count: Int { records.count }

    /// A key as the index has it: 64 bits, so that another key may have the same number; 0 is no key. Whoever reads
    /// the event compares the keys themselves.
    package static func number(ofKey key: String?) -> UInt64 {
        guard let key else { return 0 }
        return Digest.sha256(key).bytes.prefix(8).reduce(0) { $0 << 8 | UInt64($1) } | 1
    }

    /// Takes in an entry `EVENT_ACCEPTED`; any other one changes nothing.
    package mutating func apply(_ entry: Entry, at place: JournalPlace) {
        guard entry.type == .eventAccepted, let event = entry.data["event"]?.objectValue,
            let id = event["id"]?.stringValue, let source = event["source"]?.stringValue,
            let type = event["type"]?.stringValue, records.count < Int(UInt32.max)
        else { return }
        let position = UInt32(records.count)
        let number = number(ofType: type)
        let key = Self.number(ofKey: event["key"]?.stringValue)
        if segments.last != place.segment { segments.append(place.segment) }
        records.append(
            Record(
                seq: entry.seq, offset: place.offset, key: key, length: UInt32(clamping: place.length), type: number,
                segment: UInt32(segments.count - 1)))
        byType[Int(number)].append(position)
        if key != 0 { byKey[TypeAndKey(type: number, key: key), default: PositionList()].append(position) }
        let identity = CloudEvent.identity(source: source, id: id)
        if identities[identity] == nil {
            identities[identity] = Known(seq: entry.seq, content: CloudEvent.content(of: event))
        }
    }

    private mutating func number(ofType type: String) -> UInt32 {
        if let number = typeNumbers[type] { return number }
        let number = UInt32(typeNames.count)
        typeNames.append(type)
        typeNumbers[type] = number
        byType.append(PositionList())
        return number
    }

    // MARK: Looking up

    /// What was accepted under an identity (`CloudEvent.identity`).
    package func known(_ identity: UInt128) -> Known? { identities[identity] }

    /// Where the event with this number is; nil if the entry with this number is no event.
    package func hit(_ seq: Int) -> Hit? {
        let position = records.firstIndex(after: seq - 1)
        guard position < records.count, records[position].seq == seq else { return nil }
        return hit(at: position)
    }

    /// The first events of a type, and of a key if one is given, behind a cursor. Some may be of another key.
    package func hits(type: String, key: String?, after cursor: Int, limit: Int) -> [Hit] {
        guard let list = list(type: type, key: key) else { return [] }
        let start = list.partition { records[Int($0)].seq > cursor }
        return (start..<min(list.count, start + limit)).map { hit(at: Int(list[$0])) }
    }

    /// The number of the newest event of a type, and of a key if one is given; 0 if there is none.
    package func last(type: String, key: String?) -> Int {
        guard let list = list(type: type, key: key), list.count > 0 else { return 0 }
        return records[Int(list[list.count - 1])].seq
    }

    /// The first events of all types behind a cursor.
    package func arrivals(after cursor: Int, limit: Int) -> [Arrival] {
        records[records.firstIndex(after: cursor)...].prefix(limit).map { record in
            Arrival(seq: record.seq, type: typeNames[Int(record.type)], key: record.key)
        }
    }

    private func list(type: String, key: String?) -> PositionList? {
        guard let number = typeNumbers[type] else { return nil }
        guard let key else { return byType[Int(number)] }
        return byKey[TypeAndKey(type: number, key: Self.number(ofKey: key))]
    }

    private func hit(at position: Int) -> Hit {
        let record = records[position]
        return Hit(
            seq: record.seq,
            place: JournalPlace(
                segment: segments[Int(record.segment)], offset: record.offset, length: Int(record.length)))
    }
}

extension [EventIndex.Record] {
    /// Of the first record behind a cursor.
    fileprivate func firstIndex(after cursor: Int) -> Int {
        var low = 0
        var high = count
        while low < high {
            let middle = (low + high) / 2
            if self[middle].seq > cursor { high = middle } else { low = middle + 1 }
        }
        return low
    }
}

/// Positions in ascending order. Most keys belong to one event, which needs no memory of its own.
private enum PositionList: Hashable, Sendable {
    case one(UInt32)
    case many([UInt32])

    init() { self = .many([]) }

    var count: Int {
        switch self {
        case .one: 1
        case .many(let positions): positions.count
        }
    }

    subscript(index: Int) -> UInt32 {
        switch self {
        case .one(let position): position
        case .many(let positions): positions[index]
        }
    }

    mutating func append(_ position: UInt32) {
        switch self {
        case .one(let first): self = .many([first, position])
        case .many(var positions):
            if positions.isEmpty {
                self = .one(position)
            } else {
                // The array must have one owner to grow in place.
                self = .many([])
                positions.append(position)
                self = .many(positions)
            }
        }
    }

    /// The first index whose position fulfils a condition that all later ones fulfil, too.
    func partition(_ holds: (UInt32) -> Bool) -> Int {
        var low = 0
        var high = count
        while low < high {
            let middle = (low + high) / 2
            if holds(self[middle]) { high = middle } else { low = middle + 1 }
        }
        return low
    }
}

package import WaybillCore

/// Where an expression finds its variables.
package protocol Scope: Sendable {
    /// nil if there is no such variable now.
    func variable(_ name: String) -> CELValue?
    /// The time zones that expressions may name.
    var zones: any TimeZoneSource { get }
}

extension Scope {
    package var zones: any TimeZoneSource { UniversalTime() }
}

/// Knows how far the clocks of a place are ahead of UTC.
package protocol TimeZoneSource: Sendable {
    /// The rules of a zone, such as `Europe/Paris`; nil if there is no such zone.
    func file(zone: String) -> ZoneFile?
    /// Why no zone but UTC is known, for a message; nil where the others are.
    var lack: String? { get }
}

extension TimeZoneSource {
    package var lack: String? { nil }

    /// The offset east of UTC in seconds; nil if there is no such zone.
    package func offsetSeconds(zone: String, at timestamp: CELTimestamp) -> Int? {
        file(zone: zone)?.offsetSeconds(at: timestamp.seconds)
    }
}

/// UTC alone; fixed offsets such as `+02:00` need no source.
package struct UniversalTime: TimeZoneSource {
    package init() {}

    package func file(zone: String) -> ZoneFile? {
        ["UTC", "Etc/UTC", "GMT", "Z"].contains(zone) ? ZoneFile(offsetSeconds: 0) : nil
    }
}

/// Variables by name.
package struct Variables: Scope {
    private let values: [String: CELValue]
    package let zones: any TimeZoneSource

    package init(_ values: [String: CELValue] = [:], zones: any TimeZoneSource = UniversalTime()) {
        self.values = values
        self.zones = zones
    }

    /// The members of a JSON object as variables.
    package init(_ object: Object, zones: any TimeZoneSource = UniversalTime()) {
        self.init(Dictionary(object.map { ($0.key, CELValue($0.value)) }) { $1 }, zones: zones)
    }

    package func variable(_ name: String) -> CELValue? { values[name] }
}

/// How much an evaluation may do: about one unit for each node evaluated, each element walked over and each
/// 16 bytes of text read or made. Whatever an expression does is counted before it is done.
package struct CostLimit: Hashable, Sendable {
    package var units: Int

    package init(units: Int) { self.units = units }

    /// Enough for any decision a workflow takes, and spent in a fraction of a second.
    package static let standard = CostLimit(units: 1_000_000)
}

import Synchronization

/// Time zones by name, from the system's compiled files, each read once.
package final class ZoneFiles: TimeZoneSource {
    private let load: @Sendable (String) -> [UInt8]?
    private let zones = Mutex<[String: ZoneFile?]>([:])

    /// More names than the data base has are not remembered.
    private static let mostZones = 1_000

    /// `load` gives the bytes of the file of a zone, `Europe/Paris`, nil if there is none; names have been checked:
    /// they hold letters, digits, `_`, `+`, `-` and single slashes between them.
    package init(load: @escaping @Sendable (String) -> [UInt8]?) { self.load = load }

    package func offsetSeconds(zone: String, at timestamp: CELTimestamp) -> Int? {
        offsetSeconds(zone: zone, at: timestamp.seconds)
    }

    /// In seconds since 1970; nil if there is no such zone.
    package func offsetSeconds(zone: String, at seconds: Int64) -> Int? {
        if zone == "UTC" { return 0 }
        guard Self.isName(zone) else { return nil }
        return file(zone)?.offsetSeconds(at: seconds)
    }

    private func file(_ zone: String) -> ZoneFile? {
        if let known = zones.withLock({ $0[zone] }) { return known }
        let file = load(zone).flatMap { ZoneFile(tzif: $0) }
        zones.withLock { zones in
            if zones.count < Self.mostZones { zones[zone] = .some(file) }
        }
        return file
    }

    private static func isName(_ zone: String) -> Bool {
        guard zone.utf8.count <= 64 else { return false }
        return zone.split(separator: "/", omittingEmptySubsequences: false).allSatisfy { part in
            guard let first = part.utf8.first, first.startsIdentifier else { return false }
            return part.utf8.allSatisfy { $0.startsIdentifier || $0.isDigit || "+-".utf8.contains($0) }
        }
    }
}

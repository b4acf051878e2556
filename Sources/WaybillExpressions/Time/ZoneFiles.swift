/// Time zones by name, from the system's compiled files; UTC without one.
///
/// Nothing is kept: whoever asks often lets `load` remember.
package struct ZoneFiles: TimeZoneSource {
    private let load: @Sendable (String) -> [UInt8]?
    package let lack: String?

    /// `load` gives the bytes of the file of a zone, `Europe/Paris`, nil if there is none; names have been checked:
    /// they hold letters, digits, `_`, `+`, `-` and single slashes between them.
    package init(lack: String? = nil, load: @escaping @Sendable (String) -> [UInt8]?) {
        self.load = load
        self.lack = lack
    }

    package func file(zone: String) -> ZoneFile? {
        if let universal = UniversalTime().file(zone: zone) { return universal }
        guard Self.isName(zone) else { return nil }
        return load(zone).flatMap { ZoneFile(tzif: $0) }
    }

    /// Letters, digits, `_`, `+` and `-` in parts that begin with a letter, with single slashes between them.
    package static func isName(_ zone: String) -> Bool {
        guard zone.utf8.count <= 64 else { return false }
        return zone.split(separator: "/", omittingEmptySubsequences: false).allSatisfy { part in
            guard let first = part.utf8.first, first.startsIdentifier else { return false }
            return part.utf8.allSatisfy { $0.startsIdentifier || $0.isDigit || "+-".utf8.contains($0) }
        }
    }
}

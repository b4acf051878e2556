/// Ends the program, which libFuzzer takes for a finding, unless a property holds.
func require(_ holds: Bool, _ property: @autoclosure () -> String) {
    guard !holds else { return }
    fatalError("this does not hold: \(property())")
}

/// The value that must be there.
func require<Found>(_ found: Found?, _ property: @autoclosure () -> String) -> Found {
    guard let found else { fatalError("this does not hold: \(property())") }
    return found
}

extension [UInt8] {
    /// The parts before and after the first byte of a kind; the second is empty without it.
    func parts(at separator: UInt8) -> (first: [UInt8], rest: [UInt8]) {
        guard let index = firstIndex(of: separator) else { return (self, []) }
        return (Array(self[..<index]), Array(self[(index + 1)...]))
    }

    /// As text; what is no UTF-8 is replaced.
    var text: String { String(decoding: self, as: UTF8.self) }
}

extension ECMAPattern {
    /// Compiles a pattern of ECMA-262 with the engine of the standard library.
    package static func compile(_ source: String) throws(PatternError) -> any PatternMatcher {
        let pattern = try ECMAPattern(source)
        if let obstacle = pattern.obstacle {
            throw PatternError(message: "\(obstacle) cannot be matched in linear time")
        }
        do {
            return LibraryMatcher(regex: try Regex(pattern.rewritten).matchingSemantics(.unicodeScalar))
        } catch {
            throw PatternError(message: "\(error)")
        }
    }
}

/// A regular expression is immutable once it is made; the library has not marked it so.
private struct LibraryMatcher: PatternMatcher, @unchecked Sendable {
    let regex: Regex<AnyRegexOutput>

    func matches(_ text: String) -> Bool {
        (try? regex.firstMatch(in: text)) != nil
    }
}

/// A compiled regular expression. It searches: a pattern without anchors may match anywhere in the text.
package protocol PatternMatcher: Sendable {
    /// Takes time linear in the text.
    func matches(_ text: String) -> Bool
}

/// Why a pattern cannot be used.
package struct PatternError: Error, Hashable, Sendable {
    package var message: String

    package init(message: String) {
        self.message = message
    }
}

/// Compiles the patterns of a schema: ECMA-262 with the u flag, as JSON Schema recommends.
package typealias PatternCompiler = @Sendable (String) throws(PatternError) -> any PatternMatcher

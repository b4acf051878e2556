/// A regular expression that is matched in time linear in the text, whatever the pattern.
///
/// There are no back-references and no look-around, since nobody knows how to match those in linear time.
/// Code points are what a pattern's characters match.
package struct RegularExpression: Sendable {
    package enum Dialect: Sendable {
        /// Google's RE2, which the expression language names.
        case re2
        /// ECMA-262 with the `u` flag, which JSON Schema names.
        case ecma262
    }

    package let source: String
    private let program: PatternProgram

    /// - Throws: where the pattern is not well formed, asks for what linear time cannot give, or is too large.
    package init(_ source: String, dialect: Dialect = .re2) throws(PatternError) {
        self.source = source
        var parser = try PatternParser(source, dialect: dialect)
        program = try PatternCompiler.compile(try parser.parse())
    }

    package var instructionCount: Int { program.instructions.count }

    /// Whether the pattern occurs anywhere in the text.
    package func matches(_ text: String) -> Bool {
        var steps = Int.max
        return matches(text, steps: &steps) ?? false
    }

    /// The same within so many steps, which are used up; nil if they are not enough.
    package func matches(_ text: String, steps: inout Int) -> Bool? {
        var matcher = PatternMatcher(program, steps: steps)
        let result = matcher.run(text)
        steps = matcher.steps
        return result
    }
}

/// Why a pattern is refused.
package struct PatternError: Error, Hashable, Sendable {
    package let message: String
    /// In code points from the start of the pattern.
    package let offset: Int
}

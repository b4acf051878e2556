import WaybillExpressions

/// The first byte chooses the dialect; then a pattern, and behind a newline the text it is matched with.
///
/// Steps are counted, not seconds: each code point may look at every instruction twice.
func fuzzPattern(_ bytes: [UInt8]) {
    guard let first = bytes.first else { return }
    let (patternBytes, textBytes) = Array(bytes.dropFirst()).parts(at: UInt8(ascii: "\n"))
    let dialect: RegularExpression.Dialect = first & 1 == 0 ? .re2 : .ecma262
    let source = patternBytes.text
    let text = textBytes.text
    let pattern: RegularExpression
    do throws(PatternError) {
        pattern = try RegularExpression(source, dialect: dialect)
    } catch {
        require(!error.message.isEmpty, "a refusal says why")
        return require((0...source.unicodeScalars.count).contains(error.offset), "a refusal says where")
    }
    var steps = (text.unicodeScalars.count + 1) * 2 * (pattern.instructionCount + 1)
    let isMatch = require(pattern.matches(text, steps: &steps), "a match takes time linear in text and pattern")
    // Text that is quoted to the end would quote the alternative as well.
    guard !source.contains("\\Q"), let twice = try? RegularExpression("(?:\(source))|(?:\(source))", dialect: dialect)
    else { return }
    require(twice.matches(text) == isMatch, "a pattern or itself is the pattern")
}

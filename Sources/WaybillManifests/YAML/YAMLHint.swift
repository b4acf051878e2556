/// What to do about libyaml's messages, which name the symptom and seldom the cause.
enum YAMLHint {
    /// - Parameters:
    ///   - problem: libyaml's words.
    ///   - line: the source line they point into.
    static func hint(for problem: String, line: String, mark: YAMLMark) -> String? {
        let scalars = Array(line.unicodeScalars)
        let index = Int(mark.column) - 1
        let character = scalars.indices.contains(index) ? scalars[index] : nil
        if character == "\t" || (problem.contains("cannot start any token") && line.contains("\t")) {
            return "indent with spaces: YAML allows no tabs there"
        }
        if line.holdsTemplate, problem.contains("expected ','") || problem.contains("mapping values") {
            return "inside [ ] and { } put quotes around a text with ${{ }}"
        }
        switch problem {
        case "mapping values are not allowed in this context":
            return "put quotes around a text that contains `: `, or check the indentation"
        case "found character that cannot start any token":
            return "put quotes around a text that begins with \(character.map { "`\($0)`" } ?? "this character")"
        case "did not find expected alphabetic or numeric character":
            return "put quotes around a text that begins with `*` or `&`"
        case "could not find expected ':'": return "write `name: value`, with a space after the colon"
        case "did not find expected key", "did not find expected '-' indicator":
            return "check the indentation against the lines above"
        case "found unexpected end of stream": return "close the quotation mark or bracket"
        default: return nil
        }
    }
}

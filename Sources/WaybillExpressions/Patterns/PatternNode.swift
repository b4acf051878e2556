/// A pattern as it was read. Greedy and lazy repetition find the same texts, so nothing tells them apart here.
indirect enum PatternNode: Sendable {
    case empty
    case scalar(Unicode.Scalar, ignoresCase: Bool)
    case set(ScalarSet)
    case assertion(Assertion)
    case sequence([PatternNode])
    case alternatives([PatternNode])
    /// Without a most, without end.
    case repetition(PatternNode, least: Int, most: Int?)

    enum Assertion: Sendable {
        case textStart, textEnd, lineStart, lineEnd, wordBoundary, noWordBoundary
    }
}

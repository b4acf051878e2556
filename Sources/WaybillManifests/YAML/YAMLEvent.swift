/// One event of a YAML stream, as libyaml's parser tells it.
package struct YAMLEvent: Sendable {
    /// What anchors and tags a node carries; nil for most.
    package struct Properties: Sendable {
        package var anchor: String?
        package var tag: String?
    }

    package enum Kind: Sendable {
        case streamStart
        case streamEnd
        /// `isExplicit`: whether `---` or `...` is written.
        case documentStart(isExplicit: Bool)
        case documentEnd(isExplicit: Bool)
        case alias(String)
        case scalar(String, YAMLScalarStyle, Properties)
        case sequenceStart(isFlow: Bool, Properties)
        case sequenceEnd
        case mappingStart(isFlow: Bool, Properties)
        case mappingEnd
    }

    package let kind: Kind
    package let mark: YAMLMark
    /// Code points from the beginning of the event to its end; a scalar's quotation marks count.
    package let length: Int
}

/// How a scalar is written.
package enum YAMLScalarStyle: UInt8, Sendable {
    case plain, singleQuoted, doubleQuoted, literal, folded
}

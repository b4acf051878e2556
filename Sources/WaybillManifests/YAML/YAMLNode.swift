package import WaybillCore

/// A node of a YAML document: what it holds, and where it begins.
package struct YAMLNode: Sendable {
    package indirect enum Content: Sendable {
        case scalar(YAMLScalar)
        case sequence([YAMLNode])
        case mapping([YAMLMember])
    }

    package let content: Content
    package let mark: YAMLMark
}

/// A scalar as it was written; its type follows from style, tag and text.
package struct YAMLScalar: Sendable {
    package let text: String
    package let style: YAMLScalarStyle
    /// The type that a core tag (`!!str`) sets; nil where style and text decide.
    package let tag: CoreTag?
    /// Whether the text stands in the file as it is, on one line: no escapes, no folding, no block.
    package let isDirect: Bool

    init(text: String, style: YAMLScalarStyle, tag: CoreTag?, isDirect: Bool = false) {
        self.text = text
        self.style = style
        self.tag = tag
        self.isDirect = isDirect
    }
}

/// The scalar tags of the core schema (YAML 1.2.2, section 10.3).
package enum CoreTag: String, Sendable {
    case str, int, float, bool, null
}

/// An entry of a mapping. Keys are scalars and count by their text.
package struct YAMLMember: Sendable {
    package let key: String
    package let keyMark: YAMLMark
    package let node: YAMLNode
}

extension YAMLNode {
    /// The JSON value of the node under the core schema.
    package var value: Value {
        switch content {
        case .scalar(let scalar): scalar.value
        case .sequence(let nodes): .list(nodes.map(\.value))
        case .mapping(let members): .object(Object(members.lazy.map { ($0.key, $0.node.value) }))
        }
    }

    /// The member of a mapping with this key.
    package func member(_ key: String) -> YAMLMember? {
        guard case .mapping(let members) = content else { return nil }
        return members.first { $0.key.isIdenticalUTF8(to: key) }
    }

    /// Where the first `.inf` or `.nan` stands, if there is one.
    var firstUnboundedNumber: YAMLMark? {
        switch content {
        case .scalar(let scalar):
            if case .double(let number) = scalar.value, !number.isFinite { return mark }
            return nil
        case .sequence(let nodes):
            for node in nodes { if let mark = node.firstUnboundedNumber { return mark } }
            return nil
        case .mapping(let members):
            for member in members { if let mark = member.node.firstUnboundedNumber { return mark } }
            return nil
        }
    }
}

import WaybillCore

/// A map whose shape was checked before: what does not fit was reported there and reads as absent here.
struct Fields {
    let members: [YAMLMember]
    let mark: YAMLMark

    /// Nil for anything but a map.
    init?(_ node: YAMLNode?) {
        guard let node, case .mapping(let members) = node.content else { return nil }
        self.members = members
        mark = node.mark
    }

    /// No fields.
    init(mark: YAMLMark) {
        members = []
        self.mark = mark
    }

    func member(_ name: String) -> YAMLMember? { members.first { $0.key == name } }
    func node(_ name: String) -> YAMLNode? { member(name)?.node }
    func fields(_ name: String) -> Fields? { Fields(node(name)) }

    /// The members of a map, in the order of the file.
    func entries(_ name: String) -> [YAMLMember] {
        guard case .mapping(let members)? = node(name)?.content else { return [] }
        return members
    }

    func list(_ name: String) -> [YAMLNode] {
        guard case .sequence(let nodes)? = node(name)?.content else { return [] }
        return nodes
    }

    func scalar(_ name: String) -> YAMLScalar? { node(name)?.scalar }
    func text(_ name: String) -> String? { node(name)?.text }
    func texts(_ name: String) -> [String] { list(name).compactMap(\.text) }
    func flag(_ name: String) -> Bool? { scalar(name)?.value.boolValue }
    func integer(_ name: String) -> Int? { scalar(name)?.value.intValue.map { Int($0) } }
    func duration(_ name: String) -> Duration? { text(name).flatMap { Duration(text: $0) } }

    func word<Word: RawRepresentable<String>>(_ name: String, _: Word.Type = Word.self) -> Word? {
        text(name).flatMap { Word(rawValue: $0) }
    }
}

extension ProcessLimits {
    /// Fields that are wrong read as absent.
    init(_ limits: Fields?) {
        self.init(
            cpu: limits?.duration("cpu"), memoryBytes: limits?.scalar("memory").flatMap(ScalarRule.bytes),
            files: limits?.integer("files"), processes: limits?.integer("processes"))
    }
}

extension YAMLNode {
    var scalar: YAMLScalar? {
        if case .scalar(let scalar) = content { return scalar }
        return nil
    }

    /// The text of a scalar that is a string.
    var text: String? {
        guard let scalar, scalar.isString else { return nil }
        return scalar.text
    }

    /// The node a JSON pointer leads to, or the last one on the way that exists.
    func node(at pointer: JSONPointer) -> YAMLNode {
        var node = self
        for token in pointer.tokens {
            switch node.content {
            case .mapping:
                guard let member = node.member(token) else { return node }
                node = member.node
            case .sequence(let nodes):
                guard let index = Int(token), nodes.indices.contains(index) else { return node }
                node = nodes[index]
            case .scalar: return node
            }
        }
        return node
    }
}

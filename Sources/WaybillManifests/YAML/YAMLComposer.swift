import WaybillCore

/// Builds the trees of a stream from its events, within limits.
struct YAMLComposer {
    private let reader: YAMLEventReader
    private let limits: YAMLLimits
    private var problems: [YAMLError] = []
    private var nodes = 0
    private var aliases = 0
    /// What the anchors of the current document stand for, with the number of nodes in it.
    private var anchors: [String: (node: YAMLNode, size: Int)] = [:]
    /// Anchors whose node is still being read: an alias to one of these would contain itself.
    private var open: [String] = []

    init(reader: YAMLEventReader, limits: YAMLLimits) {
        self.reader = reader
        self.limits = limits
    }

    mutating func stream() -> YAMLStream {
        var documents: [YAMLNode] = []
        do throws(YAMLError) {
            while let event = try reader.next() {
                guard case .documentStart = event.kind else { continue }
                guard documents.count < limits.documents else {
                    throw YAMLError(.limit, "more than \(limits.documents) documents", at: event.mark)
                }
                anchors = [:]
                documents.append(try node())
            }
        } catch {
            problems.append(error)
        }
        return YAMLStream(documents: documents, problems: problems)
    }

    private mutating func event() throws(YAMLError) -> YAMLEvent {
        guard let event = try reader.next() else {
            throw YAMLError(.syntax, "the text ends inside a document", at: .start)
        }
        return event
    }

    private mutating func node() throws(YAMLError) -> YAMLNode {
        try node(try event(), depth: 0)
    }

    private mutating func node(_ event: YAMLEvent, depth: Int) throws(YAMLError) -> YAMLNode {
        switch event.kind {
        case .scalar(let text, let style, let properties):
            try count(1, at: event.mark)
            let tag = try scalarTag(properties.tag, text: text, at: event.mark)
            var scalar = YAMLScalar(text: text, style: style, tag: tag, isDirect: Self.isDirect(text, style, event))
            if let tag, !scalar.fits(tag) {
                try report(.tag, "`\(text)` is no `!!\(tag.rawValue)`", at: event.mark)
                scalar = YAMLScalar(text: text, style: style, tag: .str)
            }
            return remember(YAMLNode(content: .scalar(scalar), mark: event.mark), properties.anchor, size: 1)
        case .sequenceStart(_, let properties):
            return try collection(event, properties, tag: "seq", depth: depth)
        case .mappingStart(_, let properties):
            return try collection(event, properties, tag: "map", depth: depth)
        case .alias(let name):
            return try alias(name, at: event.mark)
        default:
            throw YAMLError(.syntax, "the text ends inside a document", at: event.mark)
        }
    }

    /// Whether as many characters stand in the file as in the text. Escapes, folding, indentation, anchors and tags
    /// all make the two differ.
    private static func isDirect(_ text: String, _ style: YAMLScalarStyle, _ event: YAMLEvent) -> Bool {
        switch style {
        case .plain: text.unicodeScalars.count == event.length && !text.utf8.contains(UInt8(ascii: "\n"))
        case .singleQuoted, .doubleQuoted:
            text.unicodeScalars.count + 2 == event.length && !text.utf8.contains(UInt8(ascii: "\n"))
        case .literal, .folded: false
        }
    }

    private mutating func collection(
        _ event: YAMLEvent, _ properties: YAMLEvent.Properties, tag: String, depth: Int
    ) throws(YAMLError) -> YAMLNode {
        try count(1, at: event.mark)
        guard depth < limits.depth else {
            throw YAMLError(.limit, "more than \(limits.depth) levels of nesting", at: event.mark)
        }
        if let name = properties.tag, name != "tag:yaml.org,2002:\(tag)", name != "!" {
            try refuse(tag: name, text: nil, at: event.mark)
        }
        let before = nodes
        if let anchor = properties.anchor { open.append(anchor) }
        let content: YAMLNode.Content =
            tag == "seq" ? .sequence(try items(depth: depth + 1)) : .mapping(try members(depth: depth + 1))
        if properties.anchor != nil { open.removeLast() }
        return remember(
            YAMLNode(content: content, mark: event.mark), properties.anchor, size: nodes - before + 1)
    }

    private mutating func items(depth: Int) throws(YAMLError) -> [YAMLNode] {
        var items: [YAMLNode] = []
        while true {
            let event = try event()
            if case .sequenceEnd = event.kind { return items }
            items.append(try node(event, depth: depth))
        }
    }

    private mutating func members(depth: Int) throws(YAMLError) -> [YAMLMember] {
        var members: [YAMLMember] = []
        var names = KeySet()
        while true {
            let event = try event()
            if case .mappingEnd = event.kind { return members }
            let key = try node(event, depth: depth)
            let value = try node(try self.event(), depth: depth)
            guard case .scalar(let scalar) = key.content else {
                try report(.key, "a key must be a text, not a \(key.kindName)", at: event.mark)
                continue
            }
            if scalar.text == "<<" && scalar.style == .plain && scalar.tag == nil {
                try report(
                    .mergeKey, "merge keys (`<<`) are not part of YAML 1.2", at: event.mark,
                    hint: "write the entries out")
                continue
            }
            if let first = names.insert(scalar.text, at: event.mark, among: members) {
                try report(
                    .duplicateKey, "`\(scalar.text)` is set twice (first in line \(first.line))", at: event.mark,
                    hint: "remove one of the two")
                continue
            }
            members.append(YAMLMember(key: scalar.text, keyMark: event.mark, node: value))
        }
    }
}

extension YAMLComposer {
    private mutating func alias(_ name: String, at mark: YAMLMark) throws(YAMLError) -> YAMLNode {
        aliases += 1
        guard aliases <= limits.aliases else {
            throw YAMLError(.limit, "more than \(limits.aliases) aliases", at: mark)
        }
        guard let (node, size) = anchors[name] else {
            let isOpen = open.contains(name)
            try report(
                .alias, isOpen ? "`*\(name)` contains itself" : "`*\(name)` names no anchor", at: mark,
                hint: isOpen ? nil : "put quotes around a text that begins with `*`")
            return YAMLNode(content: .scalar(YAMLScalar(text: "", style: .plain, tag: nil)), mark: mark)
        }
        try count(size, at: mark)
        return node
    }

    private mutating func remember(_ node: YAMLNode, _ anchor: String?, size: Int) -> YAMLNode {
        if let anchor { anchors[anchor] = (node, size) }
        return node
    }

    private mutating func count(_ size: Int, at mark: YAMLMark) throws(YAMLError) {
        nodes += size
        if nodes > limits.nodes { throw YAMLError(.limit, "more than \(limits.nodes) nodes", at: mark) }
    }

    private mutating func report(
        _ code: YAMLError.Code, _ message: String, at mark: YAMLMark, hint: String? = nil
    ) throws(YAMLError) {
        let error = YAMLError(code, message, at: mark, hint: hint)
        if problems.count + 1 >= limits.problems { throw error }
        problems.append(error)
    }

    private mutating func scalarTag(_ tag: String?, text: String, at mark: YAMLMark) throws(YAMLError) -> CoreTag? {
        guard let tag else { return nil }
        if tag == "!" { return .str }
        let prefix = "tag:yaml.org,2002:"
        if tag.hasPrefix(prefix), let core = CoreTag(rawValue: String(tag.dropFirst(prefix.count))) { return core }
        try refuse(tag: tag, text: text, at: mark)
        return .str
    }

    private mutating func refuse(tag: String, text: String?, at mark: YAMLMark) throws(YAMLError) {
        var hint = "remove the tag"
        // `if: !done` is a negation that YAML takes for a tag.
        if let text, tag.hasPrefix("!") { hint = "quote the expression: \"\(tag)\(text.isEmpty ? "" : " \(text)")\"" }
        try report(.tag, "the tag `\(tag)` is not known here", at: mark, hint: hint)
    }
}

/// The keys of one mapping: a plain search while they are few, a table once they are many.
private struct KeySet {
    private static let few = 12
    private var table: [Value: YAMLMark] = [:]

    /// The place of the same key if it is there already.
    mutating func insert(_ key: String, at mark: YAMLMark, among members: [YAMLMember]) -> YAMLMark? {
        if members.count < Self.few {
            return members.first { $0.key.isIdenticalUTF8(to: key) }?.keyMark
        }
        if table.isEmpty {
            for member in members { table[.string(member.key)] = member.keyMark }
        }
        if let first = table[.string(key)] { return first }
        table[.string(key)] = mark
        return nil
    }
}

extension YAMLScalar {
    /// Whether the text is what a core tag says.
    fileprivate func fits(_ tag: CoreTag) -> Bool {
        switch (tag, YAMLScalar(text: text, style: .plain, tag: nil).value) {
        case (.str, _), (.null, .null), (.bool, .bool), (.int, .int), (.float, .int), (.float, .double): true
        default: false
        }
    }
}

extension YAMLNode {
    /// What the node is, in words for messages.
    package var kindName: String {
        switch content {
        case .scalar(let scalar): scalar.value.kindName
        case .sequence: "list"
        case .mapping: "map"
        }
    }
}

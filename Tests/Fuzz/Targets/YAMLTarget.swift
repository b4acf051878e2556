import WaybillCore
import WaybillManifests

/// Whatever is read keeps its limits and its places, and becomes JSON.
func fuzzYAML(_ bytes: [UInt8]) {
    var limits = YAMLLimits()
    limits.nodes = 5_000
    limits.depth = 20
    limits.aliases = 50
    limits.documents = 20
    limits.problems = 10
    let stream = YAML.documents(bytes, limits: limits)
    require(stream.documents.count <= limits.documents, "documents are counted")
    // The one that says that there are too many comes on top.
    require(stream.problems.count <= limits.problems + 1, "problems are counted")
    require(stream.documents.reduce(0) { $0 + $1.count } <= limits.nodes, "nodes are counted")
    let lines = bytes.count + 1
    for problem in stream.problems {
        require(problem.mark.line >= 1 && problem.mark.column >= 1, "places count from 1")
        require(Int(problem.mark.line) <= lines, "a problem stands inside the text")
        require(!problem.message.isEmpty, "a problem says something")
    }
    for document in stream.documents {
        require(document.value.depth <= limits.depth, "no document is deeper than its limit")
        document.check(lines: lines)
    }
    guard let value = try? YAML.value(bytes, limits: limits) else { return }
    require(stream.problems.isEmpty && stream.documents.count <= 1, "a value comes from one sound document")
    require((try? JSON.parse(JSON.compact(value))) == value, "a value has a JSON")
    guard bytes.allSatisfy({ (0x20...0x7E).contains($0) || $0 == 0x0A }), !bytes.contains(UInt8(ascii: "\\")) else {
        return
    }
    guard let json = try? JSON.parse(bytes) else { return }
    require(json == value, "JSON is YAML, and means the same")
}

extension YAMLNode {
    fileprivate var count: Int {
        switch content {
        case .scalar: 1
        case .sequence(let nodes): nodes.reduce(1) { $0 + $1.count }
        case .mapping(let members): members.reduce(1) { $0 + $1.node.count }
        }
    }

    fileprivate func check(lines: Int) {
        require(mark.line >= 1 && mark.column >= 1 && Int(mark.line) <= lines, "a node stands inside the text")
        switch content {
        case .scalar: break
        case .sequence(let nodes): for node in nodes { node.check(lines: lines) }
        case .mapping(let members):
            require(Set(members.map { Array($0.key.utf8) }).count == members.count, "a mapping has each key once")
            for member in members { member.node.check(lines: lines) }
        }
    }
}

import WaybillCore

/// Turns schema objects into nodes. Works through a list of places instead of descending, so that long chains of
/// references cost no stack.
struct SchemaCompiler {
    /// A schema of this many parts is a mistake or an attack.
    private static let mostNodes = 100_000

    var nodes: [SchemaNode] = []
    var scopes: [SchemaScope] = []
    var unknownKeywords: [JSONSchema.UnknownKeyword] = []
    var library: SchemaRegistry
    let options: JSONSchema.Options

    private var numbers: [SchemaRegistry.Place: Int] = [:]
    private var places: [SchemaRegistry.Place] = []

    init(_ schema: Value, resources: [String: Value], options: JSONSchema.Options) throws(JSONSchemaError) {
        library = try SchemaRegistry(schema, documents: resources)
        self.options = options
        _ = try number(of: SchemaRegistry.Place(resource: 0, pointer: JSONPointer()))
    }

    mutating func run() throws(JSONSchemaError) {
        var next = 0
        while next < places.count {
            try compile(next)
            next += 1
        }
    }

    /// The number of the node for a place; the node itself is compiled later.
    mutating func number(of place: SchemaRegistry.Place) throws(JSONSchemaError) -> Int {
        if let number = numbers[place] { return number }
        guard places.count < Self.mostNodes else {
            throw JSONSchemaError(.limit, "the schema has more than \(Self.mostNodes) parts")
        }
        let number = places.count
        numbers[place] = number
        places.append(place)
        let resource = library.resources[place.resource]
        let pointer = JSONPointer(resource.pointer.tokens + place.pointer.tokens)
        nodes.append(SchemaNode(resource: place.resource, location: "\(resource.document)#\(pointer)"))
        try openScope(place.resource)
        return number
    }

    /// The dynamic scope of a resource needs all its dynamic anchors, whoever enters it.
    private mutating func openScope(_ resource: Int) throws(JSONSchemaError) {
        while scopes.count < library.resources.count { scopes.append(SchemaScope()) }
        for (name, pointer) in library.resources[resource].dynamicAnchors.sorted(by: { $0.key < $1.key })
        where scopes[resource].dynamicAnchors[name] == nil {
            // Entered before it has its number, because the number's node may belong to this very resource.
            scopes[resource].dynamicAnchors[name] = -1
            scopes[resource].dynamicAnchors[name] = try number(
                of: SchemaRegistry.Place(resource: resource, pointer: pointer))
        }
    }

    private mutating func compile(_ number: Int) throws(JSONSchemaError) {
        let place = places[number]
        guard let schema = library.schema(at: place) else {
            preconditionFailure("only places that exist get numbers")
        }
        switch schema {
        case .bool(let accepts):
            if !accepts { nodes[number].keywords = [.never] }
        case .object(let object):
            var reader = KeywordReader(object: object, place: place)
            try reader.read(&self)
            nodes[number].keywords = reader.keywords
            nodes[number].asksForEvaluated = reader.asksForEvaluated
        default:
            throw error(.keyword, "a schema is an object or a boolean, not \(schema.schemaTypeName)", at: place)
        }
    }

    /// The node that a reference leads to.
    mutating func follow(
        _ reference: String, from place: SchemaRegistry.Place, keyword: String
    ) throws(JSONSchemaError) -> (node: Int, anchor: String?, resource: Int) {
        guard let target = try library.resolve(reference, in: place.resource) else {
            throw error(
                .reference, "'\(reference)' leads nowhere; nothing is fetched from a network", at: place,
                keyword: keyword)
        }
        return (try number(of: target.place), target.anchor, target.place.resource)
    }

    func error(
        _ code: JSONSchemaError.Code, _ message: String, at place: SchemaRegistry.Place, keyword: String? = nil
    ) -> JSONSchemaError {
        let resource = library.resources[place.resource]
        let tokens = resource.pointer.tokens + place.pointer.tokens + (keyword.map { [$0] } ?? [])
        return JSONSchemaError(code, message, document: resource.document, pointer: JSONPointer(tokens))
    }
}

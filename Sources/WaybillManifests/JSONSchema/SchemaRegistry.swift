import WaybillCore

/// The documents of a schema, their parts with an `$id`, and their anchors.
struct SchemaRegistry {
    /// A document, or a part of one that has an `$id`.
    struct Resource {
        var uri: URIReference
        var schema: Value
        /// The URI of the document, empty for the schema itself, and the place in it.
        var document: String
        var pointer: JSONPointer
        var dialect: SchemaDialect
        var anchors: [String: JSONPointer] = [:]
        var dynamicAnchors: [String: JSONPointer] = [:]
    }

    /// A place, always named from the innermost resource that holds it, so that each place has one name.
    struct Place: Hashable {
        var resource: Int
        var pointer: JSONPointer
    }

    private(set) var resources: [Resource] = []
    private var byURI: [String: Int] = [:]
    /// Resources by the place of their root in its document.
    private var roots: [String: Int] = [:]
    private var documents: [String: Value]
    private var hasLoadedAll = false

    init(_ schema: Value, documents: [String: Value]) throws(JSONSchemaError) {
        self.documents = documents
        try load(schema, uri: "", document: "")
    }

    // MARK: Reading documents

    private mutating func load(_ schema: Value, uri: String, document: String) throws(JSONSchemaError) {
        let root = Resource(
            uri: URIReference(uri).withoutFragment, schema: schema, document: document, pointer: JSONPointer(),
            dialect: .current)
        resources.append(root)
        let index = resources.count - 1
        byURI[root.uri.description] = index
        roots["\(document)#"] = index
        try setDialect(of: index)
        try read(schema, in: index, at: JSONPointer(), from: JSONPointer())
    }

    /// Finds identifiers and anchors, also in parts that nothing refers to yet.
    /// - Parameters:
    ///   - pointer: the place in the resource.
    ///   - place: the place in the document.
    private mutating func read(
        _ schema: Value, in resource: Int, at pointer: JSONPointer, from place: JSONPointer
    ) throws(JSONSchemaError) {
        guard case .object(let object) = schema else { return }
        guard place.tokens.count <= JSON.Limits.deepest else {
            throw JSONSchemaError(.limit, "the schema is nested too deep", document: resources[resource].document)
        }
        var resource = resource
        var pointer = pointer
        let standsAlone = resources[resource].dialect.referenceStandsAlone && object["$ref"] != nil
        if let id = object["$id"], !standsAlone {
            (resource, pointer) = try identify(id, schema, in: resource, at: pointer, place)
        }
        if case .string(let name)? = object["$anchor"] { resources[resource].anchors[name] = pointer }
        if case .string(let name)? = object["$dynamicAnchor"] {
            resources[resource].anchors[name] = pointer
            resources[resource].dynamicAnchors[name] = pointer
        }
        if object["$recursiveAnchor"] == .bool(true) { resources[resource].dynamicAnchors[""] = pointer }
        for (keyword, value) in object {
            if case .object(let map) = value, SchemaKeywords.maps.contains(keyword) {
                for (name, part) in map {
                    let path = [keyword, name]
                    try read(
                        part, in: resource, at: JSONPointer(pointer.tokens + path),
                        from: JSONPointer(place.tokens + path))
                }
            } else if case .list(let parts) = value, SchemaKeywords.lists.contains(keyword) {
                for (number, part) in parts.enumerated() {
                    let path = [keyword, String(number)]
                    try read(
                        part, in: resource, at: JSONPointer(pointer.tokens + path),
                        from: JSONPointer(place.tokens + path))
                }
            } else if SchemaKeywords.single.contains(keyword) {
                try read(value, in: resource, at: pointer.appending(keyword), from: place.appending(keyword))
            }
        }
    }

    /// Gives a part of a document its own URI.
    private mutating func identify(
        _ id: Value, _ schema: Value, in parent: Int, at pointer: JSONPointer, _ place: JSONPointer
    ) throws(JSONSchemaError) -> (resource: Int, pointer: JSONPointer) {
        let document = resources[parent].document
        let here = place.appending("$id")
        guard case .string(let text) = id else {
            throw JSONSchemaError(.keyword, "$id takes a string", document: document, pointer: here)
        }
        let reference = URIReference(text)
        if let fragment = reference.fragment, !fragment.isEmpty {
            guard resources[parent].dialect.referenceStandsAlone else {
                throw JSONSchemaError(
                    .keyword, "$id may not have a fragment; use $anchor", document: document, pointer: here)
            }
            resources[parent].anchors[fragment] = pointer
            return (parent, pointer)
        }
        let uri = reference.resolved(against: resources[parent].uri).withoutFragment
        if place.tokens.isEmpty {
            resources[parent].uri = uri
            byURI[uri.description] = parent
            return (parent, pointer)
        }
        resources.append(
            Resource(
                uri: uri, schema: schema, document: document, pointer: place, dialect: resources[parent].dialect))
        let index = resources.count - 1
        byURI[uri.description] = index
        roots["\(document)#\(place)"] = index
        try setDialect(of: index)
        return (index, JSONPointer())
    }

    private mutating func setDialect(of index: Int) throws(JSONSchemaError) {
        guard let value = resources[index].schema["$schema"] else { return }
        let place = resources[index].pointer.appending("$schema")
        let document = resources[index].document
        guard case .string(let uri) = value else {
            throw JSONSchemaError(.keyword, "$schema takes a string", document: document, pointer: place)
        }
        if let known = SchemaDialect.known(uri) {
            resources[index].dialect = known
            return
        }
        let name = URIReference(uri).withoutFragment.description
        guard let metaSchema = documents[name] ?? byURI[name].map({ resources[$0].schema }) else {
            throw JSONSchemaError(
                .dialect, "the dialect '\(uri)' is not known; leave $schema out, or name JSON Schema 2020-12",
                document: document, pointer: place)
        }
        let (dialect, unknown) = SchemaDialect.described(by: metaSchema)
        guard let dialect else {
            throw JSONSchemaError(
                .dialect, "the vocabulary '\(unknown ?? uri)' must be understood, and is not known",
                document: document, pointer: place)
        }
        resources[index].dialect = dialect
    }

    // MARK: Following references

    /// The place that a reference in a resource leads to, and the name of the anchor it used; nil if nowhere.
    mutating func resolve(
        _ reference: String, in resource: Int
    ) throws(JSONSchemaError) -> (place: Place, anchor: String?)? {
        let target = URIReference(reference).resolved(against: resources[resource].uri)
        guard let index = try find(target.withoutFragment.description) else { return nil }
        let fragment = URIReference.percentDecoded(target.fragment ?? "")
        if fragment.isEmpty { return (Place(resource: index, pointer: JSONPointer()), nil) }
        if fragment.utf8.first == UInt8(ascii: "/") {
            guard let pointer = JSONPointer(fragment), let place = normalized(pointer, from: index) else { return nil }
            return (place, nil)
        }
        guard let pointer = resources[index].anchors[fragment], let place = normalized(pointer, from: index) else {
            return nil
        }
        return (place, fragment)
    }

    private mutating func find(_ uri: String) throws(JSONSchemaError) -> Int? {
        if let index = byURI[uri] { return index }
        if let document = documents.removeValue(forKey: uri) ?? documents.removeValue(forKey: uri + "#") {
            try load(document, uri: uri, document: uri)
            return byURI[uri]
        }
        // The name may be an $id inside a document that nothing has asked for yet.
        guard !hasLoadedAll else { return nil }
        hasLoadedAll = true
        for (name, document) in documents.sorted(by: { $0.key < $1.key }) {
            try load(document, uri: name, document: name)
        }
        documents = [:]
        return byURI[uri]
    }

    /// Walks down, changing over to inner resources on the way; nil if there is nothing at the pointer.
    private func normalized(_ pointer: JSONPointer, from resource: Int) -> Place? {
        var place = Place(resource: resource, pointer: JSONPointer())
        var document = resources[resource].pointer
        var value = resources[resource].schema
        for token in pointer.tokens {
            guard let next = value.step(token) else { return nil }
            value = next
            place.pointer.tokens.append(token)
            document.tokens.append(token)
            if let inner = roots["\(resources[resource].document)#\(document)"] {
                place = Place(resource: inner, pointer: JSONPointer())
            }
        }
        return place
    }

    /// The resource whose root stands at a place of the document that `resource` is in.
    func rootResource(at pointer: JSONPointer, like resource: Int) -> Int? {
        roots["\(resources[resource].document)#\(pointer)"]
    }

    /// What stands at a place; nil only for places this registry did not give out.
    func schema(at place: Place) -> Value? {
        var value = resources[place.resource].schema
        for token in place.pointer.tokens {
            guard let next = value.step(token) else { return nil }
            value = next
        }
        return value
    }
}

extension Value {
    /// One step of a JSON pointer.
    func step(_ token: String) -> Value? {
        switch self {
        case .object(let object): return object[token]
        case .list(let elements):
            guard let index = Int(token), String(index) == token, elements.indices.contains(index) else { return nil }
            return elements[index]
        default: return nil
        }
    }
}

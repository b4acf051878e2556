package import WaybillCore

extension HTTPOutcome {
    /// The format of `response.json` that this version writes.
    package static let recordFormat: Int64 = 1

    /// What `response.json` holds; the body lies beside it.
    ///
    /// `{"format":1,"status":200,"headers":[{"name":"Content-Type","value":"text/plain"}],"size":5,"error":null,
    /// "startedAt":"...","endedAt":"..."}`. Without a response status, headers and size are null, and `error` is
    /// `{"kind":"timeout","message":"...","mayHaveBeenSent":true}`.
    package var record: Value {
        var members: Object = [
            "format": .int(Self.recordFormat), "status": .null, "headers": .null, "size": .null, "error": .null,
            "startedAt": .string(startedAt.description), "endedAt": .string(endedAt.description),
        ]
        switch result {
        case .success(let response):
            members["status"] = .int(Int64(response.status))
            members["headers"] = .list(
                response.headers.map { ["name": .string($0.name), "value": .string($0.value)] })
            members["size"] = .int(Int64(response.body.count))
        case .failure(let failure):
            members["error"] = [
                "kind": .string(failure.kind.rawValue), "message": .string(failure.message),
                "mayHaveBeenSent": .bool(failure.mayHaveBeenSent),
            ]
        }
        return .object(members)
    }

    /// Reads what `record` wrote.
    ///
    /// - Parameter body: The bytes beside it; they must be as many as the record says.
    /// - Returns: Nil if it says nothing that can be relied on, be it cut off or of a newer version.
    package init?(record: Value, body: [UInt8]) {
        guard record["format"]?.intValue == Self.recordFormat,
            let startedAt = record["startedAt"]?.stringValue.flatMap(Timestamp.init(rfc3339:)),
            let endedAt = record["endedAt"]?.stringValue.flatMap(Timestamp.init(rfc3339:)), endedAt >= startedAt
        else { return nil }
        if let error = record["error"], !error.isNull {
            guard let kind = error["kind"]?.stringValue.flatMap(HTTPFailure.Kind.init(rawValue:)),
                let message = error["message"]?.stringValue, let mayHaveBeenSent = error["mayHaveBeenSent"]?.boolValue
            else { return nil }
            let failure = HTTPFailure(kind, message, mayHaveBeenSent: mayHaveBeenSent)
            self.init(result: .failure(failure), startedAt: startedAt, endedAt: endedAt)
            return
        }
        guard let status = record["status"]?.intValue, (100...999).contains(status),
            let fields = record["headers"]?.listValue, record["size"]?.intValue == Int64(body.count)
        else { return nil }
        let headers = fields.compactMap { field in
            field["name"]?.stringValue.flatMap { name in field["value"]?.stringValue.map { HTTPField(name, $0) } }
        }
        guard headers.count == fields.count else { return nil }
        let response = HTTPResponse(status: Int(status), headers: headers, body: body)
        self.init(result: .success(response), startedAt: startedAt, endedAt: endedAt)
    }
}

package import WaybillCore
import WaybillExpressions
package import WaybillManifests

/// Turns a response into the step's output, `{status, headers, body}`, or says why it is none.
package struct HTTPResponseReader: Sendable {
    private let expect: [HTTPAction.StatusRange]
    private let output: OutputDefinition?

    /// - Parameter output: Where a step says more of its output: the schema holds for the whole of it.
    package init(expect: [HTTPAction.StatusRange], output: OutputDefinition? = nil) {
        self.expect = expect
        self.output = output
    }

    /// The most bytes a body may have.
    package var bodyLimitBytes: Int { output?.maxSize ?? Self.defaultBodyLimitBytes }
    package static let defaultBodyLimitBytes = 1 << 20

    /// - Returns: A failure of kind `executor` for a status that is not expected, whatever the body; one of kind
    ///   `verification` for a body that is no JSON though it claims to be, or does not fit the schema.
    package func read(_ reply: HTTPReply) -> Result<Value, HTTPReplyFailure> {
        guard expect.contains(where: { $0.range.contains(reply.status) }) else {
            let phrase = StatusPhrase.of(reply.status).map { " \($0)" } ?? ""
            return .failure(fail(.executor, "the server answered with status \(reply.status)\(phrase)", reply))
        }
        guard reply.body.count <= bodyLimitBytes else {
            let message = "the response has \(reply.body.count) bytes, more than \(bodyLimitBytes)"
            return .failure(fail(.verification, message, reply))
        }
        let headers = reply.fields
        let body: Value
        do {
            body = try Self.body(reply.body, MediaType(headers["content-type"]?.stringValue ?? ""))
        } catch {
            let place = "line \(error.line), column \(error.column)"
            return .failure(fail(.verification, "the body is no JSON: \(error.message) (\(place))", reply))
        }
        let value: Value = ["status": .int(Int64(reply.status)), "headers": .object(headers), "body": body]
        guard let violation = output?.schema?.validate(value).first else {
            return .success(output?.schemaValue.map { value.fitted(to: TypeShape(schema: $0)) } ?? value)
        }
        return .failure(fail(.verification, "output does not fit its schema: \(violation.message)", reply))
    }

    private func fail(_ kind: ErrorKind, _ message: String, _ reply: HTTPReply) -> HTTPReplyFailure {
        HTTPReplyFailure(failure: Failure(kind, ValueLimits.shortened(message)), status: reply.status)
    }

    private static func body(_ bytes: [UInt8], _ type: MediaType) throws(JSONError) -> Value {
        if type.isJSON { return bytes.isEmpty ? .null : try JSON.parse(bytes, limits: ValueLimits.parsing) }
        if type.isLatin { return .string(String(String.UnicodeScalarView(bytes.map { Unicode.Scalar($0) }))) }
        if let text = String(validating: bytes, as: UTF8.self) { return .string(text) }
        return ["base64": .string(Base64.encode(bytes))]
    }
}

/// A response that is not the step's output.
package struct HTTPReplyFailure: Error, Sendable, Hashable {
    package var failure: Failure
    package var status: Int

    package init(failure: Failure, status: Int) {
        self.failure = failure
        self.status = status
    }
}

/// `Content-Type` (RFC 9110, section 8.3.1), as far as it decides how a body is read.
struct MediaType {
    /// Lower case, without parameters.
    let name: String
    private let charset: String?

    init(_ text: String) {
        let parts = text.lowercased().split(separator: ";", omittingEmptySubsequences: false).map(Self.trimmed)
        name = parts.first ?? ""
        charset = parts.dropFirst().first { $0.hasPrefix("charset=") }.map { part in
            Self.trimmed(Substring(part.dropFirst(8).filter { $0 != "\"" }))
        }
    }

    /// RFC 8259, section 11, and the suffix of RFC 6839, section 3.1.
    var isJSON: Bool { name == "application/json" || name == "text/json" || name.hasSuffix("+json") }
    /// Text in ISO 8859-1, in which every byte is its code point.
    var isLatin: Bool { name.hasPrefix("text/") && ["iso-8859-1", "latin1"].contains(charset ?? "") }

    private static func trimmed(_ text: Substring) -> String {
        var text = text
        while text.first == " " || text.first == "\t" { text.removeFirst() }
        while text.last == " " || text.last == "\t" { text.removeLast() }
        return String(text)
    }
}

/// What people call the statuses that services fail with (RFC 9110, section 15, and RFC 6585).
enum StatusPhrase {
    static func of(_ status: Int) -> String? { phrases[status] }

    private static let phrases = [
        200: "OK", 201: "Created", 202: "Accepted", 204: "No Content", 301: "Moved Permanently", 302: "Found",
        303: "See Other", 304: "Not Modified", 307: "Temporary Redirect", 308: "Permanent Redirect",
        400: "Bad Request", 401: "Unauthorized", 402: "Payment Required", 403: "Forbidden", 404: "Not Found",
        405: "Method Not Allowed", 406: "Not Acceptable", 408: "Request Timeout", 409: "Conflict", 410: "Gone",
        412: "Precondition Failed", 413: "Content Too Large", 415: "Unsupported Media Type",
        422: "Unprocessable Content", 423: "Locked", 425: "Too Early", 428: "Precondition Required",
        429: "Too Many Requests", 500: "Internal Server Error", 501: "Not Implemented", 502: "Bad Gateway",
        503: "Service Unavailable", 504: "Gateway Timeout",
    ]
}

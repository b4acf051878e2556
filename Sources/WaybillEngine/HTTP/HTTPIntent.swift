package import WaybillCore
import WaybillExpressions
package import WaybillManifests

/// A request that cannot be what its author meant, in words for people. Nothing was sent.
package struct HTTPRequestError: Error, Hashable, Sendable {
    /// The field of the manifest: `http.url`, `http.headers.Accept`.
    package var field: String
    package var message: String

    package init(_ field: String, _ message: String) {
        self.field = field
        self.message = message
    }

    /// An error of the values, which no repetition mends.
    package var failure: Failure { Failure(.expression, "\(field): \(message)") }
}

/// The evaluated fields of an `http` action.
package struct HTTPRequestValues: Sendable {
    package typealias Named = (name: String, value: String)

    package enum Body: Sendable {
        case none
        case json(RequestText)
        case form([Named], secrets: [SecretField] = [])
        case text(String)
        case secret(SecretText)
        /// A path, read when the request is sent.
        case file(String)
    }
    package enum Authentication: Sendable {
        /// The secret's name.
        case bearer(secret: String)
        case basic(user: String, secret: String)
    }

    /// In capitals.
    package var method: String
    package var url: String
    package var query: [Named]
    package var headers: [Named]
    package var secretQuery: [SecretField]
    package var secretHeaders: [SecretField]
    package var body: Body
    package var authentication: Authentication?

    package init(
        method: String, url: String, query: [Named] = [], headers: [Named] = [],
        secretQuery: [SecretField] = [], secretHeaders: [SecretField] = [], body: Body = .none,
        authentication: Authentication? = nil
    ) {
        self.method = method
        self.url = url
        self.query = query
        self.headers = headers
        self.secretQuery = secretQuery
        self.secretHeaders = secretHeaders
        self.body = body
        self.authentication = authentication
    }
}

/// What the ledger records of a request before it is sent: all there is to send it, or to send it again.
///
/// `{"method","url","headers":{...},"secretHeaders":{...},"body","timeout","maxSize"}`. A header that holds a secret has
/// `***` in its place in `headers`, and says in `secretHeaders` which one it is: `SecretUse`. `url` is complete, with the
/// query. `body` is the text to send, or `{"file": path}`; it is left out where there is none. Where secrets stand in these
/// two is said by `secretQuery` and `secretBody`: `RequestText.Place`. `timeout` is a duration's text, `maxSize` the most
/// bytes that the response's body may have.
package enum HTTPIntent {
    /// The most bytes of a URL; servers take 8,000 at least (RFC 9110, section 4.1), and few take more.
    package static let urlLimitBytes = 16 << 10
    /// The most bytes of all header fields together.
    package static let headerLimitBytes = 64 << 10

    /// Fields that say how a message is framed or how a connection goes on (RFC 9110, section 7.6.1). They belong to
    /// whoever sends: a workflow that could set them could make one request look like two.
    private static let framing: Set = [
        "connection", "content-length", "expect", "keep-alive", "proxy-connection", "te", "trailer",
        "transfer-encoding", "upgrade",
    ]
    /// Methods that ask for nothing to be done (RFC 9110, section 9.2.1).
    private static let safeMethods: Set = ["GET", "HEAD", "OPTIONS", "TRACE"]

    /// - Parameters:
    ///   - idempotencyKey: The step's; sent as `Idempotency-Key` by methods that change something, unless the step sets
    ///     that header itself.
    ///   - maxSize: Left out where the step says nothing; what reads the response has a limit of its own.
    /// - Throws: for what no server could be asked, or could be asked for something else than what was meant.
    package static func make(
        _ values: HTTPRequestValues, idempotencyKey: String,
        timeout: Duration, maxSize: Int? = nil
    ) throws(HTTPRequestError) -> Object {
        let url = try RequestURL.make(values.url, query: values.query, secrets: values.secretQuery)
        var intent: Object = [
            "method": .string(values.method), "url": .string(url.text), "timeout": .string(timeout.text),
        ]
        if let maxSize { intent["maxSize"] = .int(Int64(maxSize)) }
        guard !values.method.isEmpty, values.method.utf8.allSatisfy(\.isASCIICapital) else {
            throw HTTPRequestError("http.method", "a method consists of capital letters")
        }
        let (body, places, mediaType) = body(values.body)
        if let body {
            guard values.method != "TRACE" else { throw HTTPRequestError("http.method", "TRACE takes no body") }
            intent["body"] = body
        }
        for (name, places) in [("secretQuery", url.places), ("secretBody", places)] where !places.isEmpty {
            intent[name] = .list(places.map(\.record))
        }
        let secrets = try secretHeaders(values)
        intent["headers"] = .object(
            try headers(values, secrets, mediaType: mediaType, idempotencyKey: idempotencyKey))
        if !secrets.isEmpty {
            intent["secretHeaders"] = .object(Object(secrets.map { ($0.name, $0.value) }))
        }
        return intent
    }

    private static func body(
        _ body: HTTPRequestValues.Body
    ) -> (Value?, [RequestText.Place], mediaType: String?) {
        var text = RequestText()
        let mediaType: String
        switch body {
        case .none: return (nil, [], nil)
        case .file(let path): return (["file": .string(path)], [], "application/octet-stream")
        case .json(let content): (text, mediaType) = (content, "application/json")
        case .form(let fields, let secrets):
            text = .fields(fields, secrets, as: .form)
            mediaType = "application/x-www-form-urlencoded"
        case .text(let plain): (text, mediaType) = (RequestText(plain), plainText)
        case .secret(let secret):
            text.append(secret, as: .plain)
            mediaType = plainText
        }
        return (.string(text.text), text.places, mediaType)
    }

    private static let plainText = "text/plain; charset=utf-8"

    // MARK: - Header fields

    private static func headers(
        _ values: HTTPRequestValues, _ secrets: [SecretUse.Header], mediaType: String?, idempotencyKey: String
    ) throws(HTTPRequestError) -> Object {
        var headers = Object()
        var names: Set<String> = []
        for (name, value) in values.headers {
            let field = "http.headers.\(name)"
            try checkName(name, in: field)
            guard names.insert(name.lowercased()).inserted else {
                throw HTTPRequestError(field, "the header is given twice; letter case makes no difference")
            }
            headers[name] = .string(try fieldValue(value, in: field))
        }
        for secret in secrets {
            guard names.insert(secret.name.lowercased()).inserted else {
                throw HTTPRequestError(
                    secret.field, "the header \(secret.name) is given as well; leave one of them out")
            }
            headers[secret.name] = .string(secret.shown)
        }
        if let mediaType, names.insert("content-type").inserted { headers["Content-Type"] = .string(mediaType) }
        if !safeMethods.contains(values.method), names.insert("idempotency-key").inserted {
            headers["Idempotency-Key"] = .string(idempotencyKey)
        }
        let size = headers.reduce(0) { $0 + $1.key.utf8.count + ($1.value.stringValue?.utf8.count ?? 0) }
        guard size <= headerLimitBytes else {
            throw HTTPRequestError("http.headers", "the headers have more than \(headerLimitBytes) bytes")
        }
        return headers
    }

    /// RFC 9110, section 5.6.2: a name is a token.
    private static func checkName(_ name: String, in field: String) throws(HTTPRequestError) {
        guard !name.isEmpty, name.utf8.allSatisfy(isTokenByte) else {
            let quoted = String(decoding: JSON.compact(.string(name)), as: UTF8.self)
            throw HTTPRequestError("http.headers", "\(quoted) is no name of a header")
        }
        guard !framing.contains(name.lowercased()) else {
            throw HTTPRequestError(field, "the header is set by Waybill itself, from the body and the connection")
        }
    }

    private static func isTokenByte(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x30...0x39, 0x41...0x5A, 0x61...0x7A: true
        default: Array("!#$%&'*+-.^_`|~".utf8).contains(byte)
        }
    }

    /// RFC 9110, section 5.5: space around a value is not part of it, and control characters are none of its.
    private static func fieldValue(_ value: String, in field: String) throws(HTTPRequestError) -> String {
        let isSpace = { (byte: UInt8) in byte == 0x20 || byte == 0x09 }
        var bytes = Array(value.utf8)[...]
        while let first = bytes.first, isSpace(first) { bytes.removeFirst() }
        while let last = bytes.last, isSpace(last) { bytes.removeLast() }
        guard bytes.allSatisfy({ ($0 >= 0x20 && $0 != 0x7F) || $0 == 0x09 }) else {
            throw HTTPRequestError(field, "the value has a line break or another control character")
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// The headers whose values are put together when they are sent.
    private static func secretHeaders(_ values: HTTPRequestValues) throws(HTTPRequestError) -> [SecretUse.Header] {
        var headers: [SecretUse.Header] = []
        for header in values.secretHeaders {
            let field = "http.headers.\(header.name)"
            try checkName(header.name, in: field)
            headers.append(
                SecretUse.Header(
                    name: header.name, secret: header.text.secret, form: .text(prefix: header.text.prefix),
                    field: field))
        }
        switch values.authentication {
        case .bearer(let secret):
            headers.append(.authorization(secret, .text(prefix: "Bearer ")))
        case .basic(let user, let secret):
            // RFC 7617, section 2.
            guard !user.utf8.contains(UInt8(ascii: ":")) else {
                throw HTTPRequestError("http.auth.basic", "the user's name has a colon, which ends a name here")
            }
            headers.append(.authorization(secret, .basic(user: user)))
        case nil: break
        }
        return headers
    }
}

package import WaybillCore

/// A header field; the name as the sender spells it.
package struct HTTPField: Hashable, Sendable {
    package var name: String
    package var value: String

    package init(_ name: String, _ value: String) {
        self.name = name
        self.value = value
    }
}

/// A request, complete: nothing is evaluated, added or looked up any more but the fields that frame a message
/// (`Host`, `Content-Length`) and name what the performer can decode (`Accept-Encoding`).
package struct HTTPRequestSpec: Hashable, Sendable {
    /// In capitals.
    package var method: String
    /// Absolute, `http` or `https`, percent-encoded, without user information and fragment.
    package var url: String
    /// In order; a name may occur more than once.
    package var headers: [HTTPField]
    package var body: [UInt8]
    /// From the call to the last byte of the response: waiting for a connection, looking the name up, connecting and
    /// the handshake are part of it.
    package var timeout: Duration
    /// The most bytes the response's body may have, as they come and after they were decompressed.
    package var bodyLimitBytes: Int

    package static let defaultTimeout = Duration.seconds(30)
    package static let defaultBodyLimitBytes = 8 << 20

    package init(
        method: String, url: String, headers: [HTTPField] = [], body: [UInt8] = [],
        timeout: Duration = defaultTimeout, bodyLimitBytes: Int = defaultBodyLimitBytes
    ) {
        self.method = method
        self.url = url
        self.headers = headers
        self.body = body
        self.timeout = timeout
        self.bodyLimitBytes = bodyLimitBytes
    }
}

/// A response that was read to its end.
package struct HTTPResponse: Hashable, Sendable {
    package var status: Int
    /// In the order they came; a name may occur more than once.
    package var headers: [HTTPField]
    /// Decompressed where the response was compressed.
    package var body: [UInt8]

    package init(status: Int, headers: [HTTPField] = [], body: [UInt8] = []) {
        self.status = status
        self.headers = headers
        self.body = body
    }
}

/// Why there is no response.
package struct HTTPFailure: Error, Hashable, Sendable {
    package enum Kind: String, Sendable {
        /// The time was up.
        case timeout
        /// The server cannot be found, reached or trusted, the connection broke, or what came back is no HTTP.
        case connection
        /// The response has more than the allowed bytes, or header fields without measure.
        case tooLarge
        /// The request makes no sense; nothing was connected to.
        case invalidRequest
        /// By request, or because the performer was shut down.
        case cancelled
    }

    package var kind: Kind
    package var message: String
    /// Whether the server may have got the request, and acted on it. False is certain.
    package var mayHaveBeenSent: Bool

    package init(_ kind: Kind, _ message: String, mayHaveBeenSent: Bool) {
        self.kind = kind
        self.message = message
        self.mayHaveBeenSent = mayHaveBeenSent
    }
}

/// How an exchange ended.
package struct HTTPOutcome: Hashable, Sendable {
    package var result: Result<HTTPResponse, HTTPFailure>
    /// When the performer took the request.
    package var startedAt: Timestamp
    /// Not before `startedAt`.
    package var endedAt: Timestamp

    package init(result: Result<HTTPResponse, HTTPFailure>, startedAt: Timestamp, endedAt: Timestamp) {
        self.result = result
        self.startedAt = startedAt
        self.endedAt = endedAt
    }
}

package import WaybillCore

/// What came back, as the runtime hands it in.
package struct HTTPReply: Sendable {
    package var status: Int
    /// In the order they came; a name may occur more than once, in any letter case.
    package var headers: [(name: String, value: String)]
    package var body: [UInt8]

    package init(status: Int, headers: [(name: String, value: String)] = [], body: [UInt8] = []) {
        self.status = status
        self.headers = headers
        self.body = body
    }

    /// Lower-case names, each once: what came several times is joined by `, ` (RFC 9110, section 5.3).
    package var fields: Object {
        var fields = Object()
        for (name, value) in headers {
            let name = name.lowercased()
            let before = fields[name]?.stringValue.map { $0 + ", " } ?? ""
            fields[name] = .string(before + value)
        }
        return fields
    }

    /// When the server asks to be tried again, if it does so in a way that can be read.
    package func retryAfter(now: Timestamp) -> Timestamp? {
        fields["retry-after"]?.stringValue.flatMap { RetryAfter.parse($0, now: now) }
    }
}

extension HTTPReply: Hashable {
    package static func == (left: HTTPReply, right: HTTPReply) -> Bool {
        left.status == right.status && left.body == right.body && left.headers.elementsEqual(right.headers, by: ==)
    }

    package func hash(into hasher: inout Hasher) {
        hasher.combine(status)
        hasher.combine(body)
    }
}

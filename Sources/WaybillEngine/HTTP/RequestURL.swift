import WaybillManifests

/// The URL of a request: checked, and spelled in the characters of RFC 3986 alone.
enum RequestURL {
    /// Appends the query's members to the URL and percent-encodes what may not stand in one as it is. What is encoded
    /// already stays as it is: `%2F` in a path is not `/`.
    ///
    /// - Throws: for anything but an absolute `http` or `https` URL with a host and without user and fragment.
    static func make(
        _ text: String, query: [HTTPRequestValues.Named], secrets: [SecretField] = []
    ) throws(HTTPRequestError) -> RequestText {
        let bytes = Array(text.utf8)
        guard !bytes.contains(where: { $0 < 0x20 || $0 == 0x7F }) else {
            throw fail("the URL has a line break or another control character")
        }
        let scheme = try scheme(of: bytes)
        let rest = bytes[(scheme.utf8.count + 3)...]
        let end = rest.firstIndex { [0x2F, 0x3F, 0x23].contains($0) } ?? rest.endIndex
        let authority = try authority(rest[..<end])
        var url = Array("\(scheme)://\(authority)".utf8) + (try encoded(rest[end...]))
        let members = RequestText.fields(query, secrets, as: .query)
        if !members.text.isEmpty {
            let separator = url.contains(UInt8(ascii: "?")) ? UInt8(ascii: "&") : UInt8(ascii: "?")
            if url.last != UInt8(ascii: "?"), url.last != UInt8(ascii: "&") { url.append(separator) }
        }
        var whole = RequestText(String(decoding: url, as: UTF8.self))
        whole.append(members)
        guard whole.text.utf8.count <= HTTPIntent.urlLimitBytes else {
            throw fail("the URL has \(whole.text.utf8.count) bytes, more than \(HTTPIntent.urlLimitBytes)")
        }
        return whole
    }

    private static func fail(_ message: String) -> HTTPRequestError { HTTPRequestError("http.url", message) }

    private static func scheme(of bytes: [UInt8]) throws(HTTPRequestError) -> String {
        let start = String(decoding: bytes.prefix(8), as: UTF8.self).lowercased()
        if start.hasPrefix("http://") { return "http" }
        if start == "https://" { return "https" }
        throw fail("the URL must begin with http:// or https://")
    }

    /// RFC 3986, section 3.2, without user information (RFC 9110, section 4.2.4) and without names that would have to
    /// be translated first.
    private static func authority(_ bytes: ArraySlice<UInt8>) throws(HTTPRequestError) -> String {
        guard !bytes.contains(UInt8(ascii: "@")) else {
            throw fail("the URL has a user or an @ before its path; credentials belong into auth")
        }
        var host = bytes
        let isLiteral = bytes.first == UInt8(ascii: "[")
        let from = isLiteral ? bytes.lastIndex(of: UInt8(ascii: "]")) ?? bytes.endIndex : bytes.startIndex
        if let colon = bytes[from...].firstIndex(of: UInt8(ascii: ":")) {
            host = bytes[..<colon]
            let digits = bytes[(colon + 1)...]
            guard !digits.isEmpty, digits.count <= 5, digits.allSatisfy(\.isASCIIDigit),
                let port = Int(String(decoding: digits, as: UTF8.self)), (1...65_535).contains(port)
            else { throw fail("the URL's port must be a number from 1 to 65535") }
        }
        guard !host.isEmpty else { throw fail("the URL has no host") }
        guard isLiteral ? isAddressLiteral(host) : host.allSatisfy(isHostByte) else {
            throw fail("the URL's host must be a name of letters, digits, hyphens and dots, or an address")
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    private static func isHostByte(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"): true
        default: false
        }
    }

    /// `[::1]`: the resolver judges the address itself.
    private static func isAddressLiteral(_ host: ArraySlice<UInt8>) -> Bool {
        guard host.count > 3, host.last == UInt8(ascii: "]") else { return false }
        return host.dropFirst().dropLast().allSatisfy { byte in
            switch byte {
            case 0x30...0x39, 0x41...0x46, 0x61...0x66, UInt8(ascii: ":"), UInt8(ascii: "."): true
            default: false
            }
        }
    }

    /// Path and query.
    private static func encoded(_ bytes: ArraySlice<UInt8>) throws(HTTPRequestError) -> [UInt8] {
        var result: [UInt8] = []
        for index in bytes.indices {
            switch bytes[index] {
            case UInt8(ascii: "#"):
                throw fail("the URL has a fragment, which is never sent; a # within a path or query is written %23")
            case UInt8(ascii: "%"):
                let digits = bytes[(index + 1)...].prefix(2)
                guard digits.count == 2, digits.allSatisfy(PercentText.isHexDigit) else {
                    throw fail("a % stands before two hexadecimal digits; by itself it is written %25")
                }
                result.append(UInt8(ascii: "%"))
            case let byte where PercentText.isUnreserved(byte) || Array("!$&'()*+,;=:@/?".utf8).contains(byte):
                result.append(byte)
            case let byte: result += PercentText.escaped(byte)
            }
        }
        return result
    }
}

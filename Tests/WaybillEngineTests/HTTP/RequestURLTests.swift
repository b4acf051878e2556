import Testing
import WaybillCore
import WaybillEngine

struct RequestURLTests {
    private func url(_ text: String, query: [HTTPRequestValues.Named] = []) throws(HTTPRequestError) -> String? {
        let values = HTTPRequestValues(method: "GET", url: text, query: query)
        return try HTTPIntent.make(values, idempotencyKey: "", timeout: .seconds(1))["url"]?.stringValue
    }

    @Test(
        "what may stand in a URL stays as it is, and the rest is percent-encoded",
        arguments: [
            ("http://example.com", "http://example.com"),
            ("HTTPS://Example.com:8443/A", "https://Example.com:8443/A"),
            ("http://[::1]:80/x", "http://[::1]:80/x"),
            ("http://[fe80::1.2.3.4]", "http://[fe80::1.2.3.4]"),
            ("http://127.0.0.1/a%2Fb//c/../d;p=1", "http://127.0.0.1/a%2Fb//c/../d;p=1"),
            ("http://h/a b/ü|{x}\"\\^`<>[1]", "http://h/a%20b/%C3%BC%7C%7Bx%7D%22%5C%5E%60%3C%3E%5B1%5D"),
            ("http://h?q=a+b&c=%C3%BC/?", "http://h?q=a+b&c=%C3%BC/?"),
            ("http://h/!$&'()*+,;=:@-._~", "http://h/!$&'()*+,;=:@-._~"),
        ])
    func spelling(text: String, expected: String) throws {
        #expect(try url(text) == expected)
    }

    @Test(
        "the query's members are appended to what is there",
        arguments: [
            ("http://h", "http://h?a%20b=1%262&%C3%BC=%2F%3F%3D%2B"),
            ("http://h/x", "http://h/x?a%20b=1%262&%C3%BC=%2F%3F%3D%2B"),
            ("http://h/x?", "http://h/x?a%20b=1%262&%C3%BC=%2F%3F%3D%2B"),
            ("http://h/x?y=1", "http://h/x?y=1&a%20b=1%262&%C3%BC=%2F%3F%3D%2B"),
            ("http://h/x?y=1&", "http://h/x?y=1&a%20b=1%262&%C3%BC=%2F%3F%3D%2B"),
        ])
    func query(text: String, expected: String) throws {
        #expect(try url(text, query: [("a b", "1&2"), ("ü", "/?=+")]) == expected)
    }

    @Test(
        "what is no URL to ask is refused with the reason",
        arguments: [
            ("", "begin with"), ("example.com/x", "begin with"), ("ftp://h/", "begin with"),
            ("http:/h", "begin with"), ("//h/x", "begin with"), ("file:///etc/passwd", "begin with"),
            ("http+unix://%2Ftmp/", "begin with"), ("http://", "no host"), ("http:///x", "no host"),
            ("http://:80/", "no host"), ("http://?x", "no host"), ("http://user:pw@h/", "credentials"),
            ("http://evil.example@h/", "credentials"), ("http://h:/", "port"), ("http://h:0/", "port"),
            ("http://h:65536/", "port"), ("http://h:8a/", "port"), ("http://h:80:90/", "port"),
            ("http://h:+80/", "port"), ("http://h\\@x/", "credentials"), ("http://h\\x/", "host"),
            ("http://h x/", "host"), ("http://h%2e/", "host"), ("http://münchen.example/", "host"),
            ("http://[::1", "host"), ("http://[]/", "host"), ("http://[::1%25eth0]/", "host"),
            ("http://[::1]x/", "host"), ("http://h/#top", "fragment"), ("http://h#", "fragment"),
            ("http://h/100%", "%25"), ("http://h/%zz", "%25"), ("http://h/%2", "%25"),
            ("http://h/a\r\nHost: x", "line break"), ("http://h/\u{0}", "line break"), ("http://h/\t", "line break"),
        ])
    func refused(text: String, part: String) {
        let error = #expect(throws: HTTPRequestError.self) { try url(text) }
        #expect(error?.field == "http.url")
        #expect(error?.message.contains(part) == true, "\(error?.message ?? "")")
    }

    @Test("a URL without measure is refused, with its query counted in")
    func limit() throws {
        let start = "http://h/"
        let rest = HTTPIntent.urlLimitBytes - start.utf8.count
        #expect(try url(start + String(repeating: "x", count: rest)) != nil)
        #expect(throws: HTTPRequestError.self) { try url(start + String(repeating: "x", count: rest + 1)) }
        #expect(throws: HTTPRequestError.self) {
            try url(start, query: [("q", String(repeating: " ", count: rest / 2))])
        }
    }
}

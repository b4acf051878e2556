import Testing
import WaybillCore
import WaybillEngine
import WaybillManifests

struct HTTPIntentTests {
    private func intent(_ values: HTTPRequestValues) throws(HTTPRequestError) -> Object {
        try HTTPIntent.make(values, idempotencyKey: "k1", timeout: .seconds(30))
    }

    private func error(_ values: HTTPRequestValues) -> HTTPRequestError? {
        do throws(HTTPRequestError) {
            _ = try intent(values)
            return nil
        } catch {
            return error
        }
    }

    @Test("a GET without anything is its method, its URL and its timeout")
    func plainGet() throws {
        let expected: Object = ["method": "GET", "url": "http://h/x", "headers": [:], "timeout": "30s"]
        #expect(try intent(HTTPRequestValues(method: "GET", url: "http://h/x")) == expected)
    }

    @Test("a JSON body is recorded as the bytes that are sent, with its media type and the idempotency key")
    func jsonBody() throws {
        let values = HTTPRequestValues(
            method: "POST", url: "https://h/x", body: .json(RequestText(#"{"a":["x",null],"b":1}"#)))
        let expected: Object = [
            "method": "POST", "url": "https://h/x", "timeout": "30s", "body": #"{"a":["x",null],"b":1}"#,
            "headers": ["Content-Type": "application/json", "Idempotency-Key": "k1"],
        ]
        #expect(try intent(values) == expected)
    }

    @Test(
        "every form of body has a media type of its own",
        arguments: [
            (HTTPRequestValues.Body.text("hello"), Value.string("hello"), "text/plain; charset=utf-8"),
            (.file("out/x.bin"), Value.object(["file": "out/x.bin"]), "application/octet-stream"),
            (
                .form([("a b", "1&2"), ("ü", "*~")]), Value.string("a+b=1%262&%C3%BC=*%7E"),
                "application/x-www-form-urlencoded"
            ),
        ])
    func bodies(body: HTTPRequestValues.Body, recorded: Value, mediaType: String) throws {
        let made = try intent(HTTPRequestValues(method: "PUT", url: "http://h/", body: body))
        #expect(made["body"] == recorded)
        #expect(made["headers"]?["Content-Type"] == .string(mediaType))
    }

    @Test("what the step says of the content and of idempotency is kept, in whatever letter case")
    func ownHeadersWin() throws {
        let values = HTTPRequestValues(
            method: "POST", url: "http://h/",
            headers: [("content-type", "application/cloudevents+json"), ("IDEMPOTENCY-KEY", "mine")],
            body: .json(RequestText("{}")))
        let expected: Value = ["content-type": "application/cloudevents+json", "IDEMPOTENCY-KEY": "mine"]
        #expect(try intent(values)["headers"] == expected)
    }

    @Test("methods that only ask carry no idempotency key", arguments: ["GET", "HEAD", "OPTIONS", "TRACE"])
    func safeMethods(method: String) throws {
        #expect(try intent(HTTPRequestValues(method: method, url: "http://h/"))["headers"] == [:])
    }

    @Test("methods that change something carry the key", arguments: ["POST", "PUT", "PATCH", "DELETE"])
    func unsafeMethods(method: String) throws {
        let made = try intent(HTTPRequestValues(method: method, url: "http://h/"))
        #expect(made["headers"] == ["Idempotency-Key": "k1"])
    }

    @Test("credentials become headers when they are sent; the intent has their names")
    func authentication() throws {
        let basic = try intent(
            HTTPRequestValues(
                method: "GET", url: "http://h/", authentication: .basic(user: "Aladdin", secret: "cave")))
        #expect(basic["headers"] == ["Authorization": "Basic ***"])
        #expect(basic["secretHeaders"] == ["Authorization": ["secret": "cave", "user": "Aladdin"]])
        // RFC 7617, section 2.
        #expect(
            SecretUse.headers(in: basic).map { $0.text("open sesame") } == ["Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="])
        let bearer = try intent(
            HTTPRequestValues(
                method: "GET", url: "http://h/",
                secretHeaders: [SecretField(name: "X-Key", text: SecretText(prefix: "Key ", secret: "b"))],
                authentication: .bearer(secret: "a")))
        #expect(bearer["headers"] == ["X-Key": "Key ***", "Authorization": "Bearer ***"])
        #expect(SecretUse.headers(in: bearer).map { $0.text("t0ken") } == ["Bearer t0ken", "Key t0ken"])
        #expect(SecretUse.names(in: bearer) == ["a", "b"])
    }

    @Test("secrets of the query and of a form come last, and the intent has their names and places")
    func secretFields() throws {
        let key = SecretField(name: "k y", text: SecretText(prefix: "p ", secret: "forge"))
        let intent = try intent(
            HTTPRequestValues(
                method: "POST", url: "http://h/x?a=1", query: [("b", "2")], secretQuery: [key],
                body: .form([("c", "3")], secrets: [key])))
        #expect(intent["url"] == "http://h/x?a=1&b=2&k%20y=p%20***")
        #expect(intent["secretQuery"] == [["at": 29, "secret": "forge", "as": "query"]])
        #expect(intent["body"] == "c=3&k+y=p+***")
        #expect(intent["secretBody"] == [["at": 10, "secret": "forge", "as": "form"]])
        #expect(SecretUse.names(in: intent) == ["forge"])
        let alone = try self.intent(
            HTTPRequestValues(
                method: "POST", url: "http://h", secretQuery: [key], body: .secret(SecretText(secret: "mail"))))
        #expect(alone["url"] == "http://h?k%20y=p%20***")
        #expect(alone["body"] == "***")
        #expect(alone["headers"]?["Content-Type"] == "text/plain; charset=utf-8")
        #expect(SecretUse.names(in: alone) == ["forge", "mail"])
    }

    @Test(
        "credentials that cannot be written are refused",
        arguments: [
            (HTTPRequestValues.Authentication.basic(user: "a:b", secret: "c"), "http.auth.basic")
        ])
    func badCredentials(authentication: HTTPRequestValues.Authentication, field: String) {
        let refused = error(HTTPRequestValues(method: "GET", url: "http://h/", authentication: authentication))
        #expect(refused?.field == field)
    }

    @Test("an Authorization header beside auth is a contradiction")
    func twoAuthorizations() {
        let refused = error(
            HTTPRequestValues(
                method: "GET", url: "http://h/", headers: [("authorization", "x")], authentication: .bearer(secret: "y")
            ))
        #expect(refused?.field == "http.auth")
    }

    @Test(
        "a value with a line break or another control character starts no header of its own",
        arguments: ["a\r\nX-Evil: 1", "a\nb", "a\rb", "a\u{0}b", "a\u{7F}", "a\u{1B}[0m"])
    func headerInjection(value: String) {
        let refused = error(HTTPRequestValues(method: "GET", url: "http://h/", headers: [("X-A", value)]))
        #expect(
            refused
                == HTTPRequestError("http.headers.X-A", "the value has a line break or another control character"))
    }

    @Test("space around a value is not part of it")
    func trimmedValues() throws {
        let values = HTTPRequestValues(method: "GET", url: "http://h/", headers: [("X-A", " \ta b\t "), ("X-B", " ")])
        #expect(try intent(values)["headers"] == ["X-A": "a b", "X-B": ""])
    }

    @Test("a name that is no token is refused", arguments: ["", "a b", "a:", "a\r\nb", "ä", "(x)"])
    func headerNames(name: String) {
        #expect(
            error(HTTPRequestValues(method: "GET", url: "http://h/", headers: [(name, "x")]))?.field == "http.headers")
    }

    @Test(
        "the fields that frame a message are not the workflow's",
        arguments: ["Content-Length", "transfer-encoding", "Connection", "TE", "Expect", "Upgrade"])
    func framingHeaders(name: String) {
        let refused = error(HTTPRequestValues(method: "POST", url: "http://h/", headers: [(name, "1")]))
        #expect(refused?.message == "the header is set by Waybill itself, from the body and the connection")
    }

    @Test("one name in two letter cases is one header given twice")
    func duplicateHeaders() {
        let refused = error(
            HTTPRequestValues(method: "GET", url: "http://h/", headers: [("Accept", "a"), ("accept", "b")]))
        #expect(refused?.field == "http.headers.accept")
    }

    @Test("headers without measure are refused")
    func largeHeaders() {
        let value = String(repeating: "x", count: HTTPIntent.headerLimitBytes)
        #expect(error(HTTPRequestValues(method: "GET", url: "http://h/", headers: [("X", value)])) != nil)
        #expect(
            error(HTTPRequestValues(method: "GET", url: "http://h/", headers: [("X", String(value.dropLast()))]))
                == nil)
    }

    @Test("a method is capital letters, and TRACE has no body")
    func methods() {
        #expect(error(HTTPRequestValues(method: "GET /x", url: "http://h/"))?.field == "http.method")
        #expect(error(HTTPRequestValues(method: "", url: "http://h/"))?.field == "http.method")
        #expect(error(HTTPRequestValues(method: "TRACE", url: "http://h/", body: .text("x")))?.field == "http.method")
    }

    @Test("a request that cannot be made fails its step without being retried")
    func failureKind() {
        let failure = HTTPRequestError("http.url", "the URL has no host").failure
        #expect(failure == Failure(.expression, "http.url: the URL has no host"))
    }
}

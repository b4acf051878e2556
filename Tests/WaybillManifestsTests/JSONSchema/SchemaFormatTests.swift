import Testing
import WaybillManifests

@Suite("Formats of JSON Schema")
struct SchemaFormatTests {
    @Test(
        "what has the format is accepted",
        arguments: [
            (.dateTime, "2026-11-20T10:15:03.214159Z"), (.dateTime, "1998-12-31t15:59:60.123-08:00"),
            (.date, "2024-02-29"), (.time, "23:20:50.52+01:30"), (.duration, "P1Y2M3DT4H5M6S"), (.duration, "P3W"),
            (.email, "a.b+c@example.org"), (.email, "\"a b\"@[127.0.0.1]"), (.internationalEmail, "δοκιμή@παράδειγμα"),
            (.hostname, "www.example-1.com"), (.hostname, "xn--bcher-kva.example"),
            (.internationalHostname, "bücher.example"), (.internationalHostname, "faß.de"), (.ipv4, "192.168.0.1"),
            (.ipv6, "::"), (.ipv6, "1::d6:192.168.0.1"), (.ipv6, "1:2:3:4:5:6:7:8"),
            (.uri, "https://u:p@[::1]:8080/a%20b;c?d=/?#e"), (.uri, "urn:oasis:names"), (.uriReference, "../a?b"),
            (.uriReference, ""), (.iri, "https://ünï.example/ö?ä#ß"), (.iriReference, "ä/ö"),
            (.uuid, "2EB8AA08-aa98-11ea-b4aa-73b441d16380"), (.uriTemplate, "/{+path}/a{?x,y*,z:3}"),
            (.jsonPointer, "/a~0b/~1"), (.jsonPointer, ""), (.relativeJSONPointer, "2/a"), (.relativeJSONPointer, "0#"),
            (.regex, "^(?<year>\\d{4})-(?=x)[^\\]]\\k<year>$"), (.regex, "[^]|\\u{1F600}|\\p{Script=Greek}"),
        ] as [(SchemaFormat, String)])
    func accepted(format: SchemaFormat, text: String) {
        #expect(format.accepts(text))
    }

    @Test(
        "what has it not is refused",
        arguments: [
            (.dateTime, "2026-11-20 10:15:03Z"), (.dateTime, "2026-11-20T10:15:03"), (.date, "2023-02-29"),
            (.date, "2026-1-01"), (.time, "24:00:00Z"), (.time, "12:00:60Z"), (.duration, "P1YT"), (.duration, "P1D2H"),
            (.duration, "PT1H5S"), (.duration, "P1W2D"), (.email, "a@"), (.email, "a..b@c"), (.email, "ä@b"),
            (.hostname, "a_b"), (.hostname, "-a"), (.hostname, "a..b"), (.hostname, "xn--x"),
            (.hostname, "bücher.example"), (.internationalHostname, "Bücher.example"),
            (.internationalHostname, "u\u{308}.example"), (.internationalHostname, "a\u{200D}b"), (.ipv4, "1.2.3"),
            (.ipv4, "01.2.3.4"), (.ipv4, "256.0.0.1"), (.ipv6, ":::"), (.ipv6, "1::2::3"), (.ipv6, "12345::"),
            (.ipv6, "1:2:3:4:5:6:7::8"), (.ipv6, "::1%eth0"), (.uri, "//a/b"), (.uri, "http://a b"),
            (.uri, "http://[::1"), (.uri, "http://a:b"), (.uriReference, "1:a"), (.uriReference, "a%2"),
            (.iri, "http://a/\u{E000}"), (.uuid, "2eb8aa08aa98-11ea-b4aa-73b441d16380-"), (.uriTemplate, "{a"),
            (.uriTemplate, "{}"), (.uriTemplate, "a}"), (.jsonPointer, "a"), (.jsonPointer, "/~2"),
            (.relativeJSONPointer, "01"), (.relativeJSONPointer, "-1/a"), (.regex, "("), (.regex, "a{2,1}"),
            (.regex, "\\a"), (.regex, "[b-a]"), (.regex, "(?<a>x)(?<a>y)"), (.regex, "\\2(a)"), (.regex, "\\p{Foo}"),
        ] as [(SchemaFormat, String)])
    func refused(format: SchemaFormat, text: String) {
        #expect(!format.accepts(text))
    }

    @Test("every format answers for any text", arguments: SchemaFormat.allCases)
    func anything(format: SchemaFormat) {
        let pieces = [
            "a", "1", "-", ".", ":", "@", "[", "]", "%", "{", "}", "~", "/", "\\", "(", "é", "\u{300}", "א", "\u{200C}",
            "xn--", "P", "T", "\0", "😀", "?", "*",
        ]
        var state: UInt64 = 11
        for _ in 0..<500 {
            var text = ""
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            for _ in 0..<(state >> 60) {
                state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
                text += pieces[Int(state >> 33) % pieces.count]
            }
            _ = format.accepts(text)
        }
        // A pattern may hold anything; a pointer needs its slash.
        #expect(format.accepts(String(repeating: "\u{1F600}\0", count: 10_000)) == (format == .regex))
    }
}

import Testing
import WaybillCore
import WaybillEngine

@Suite("Events")
struct CloudEventTests {
    private let plain: Object = ["specversion": "1.0", "id": "1", "source": "/shop", "type": "order.paid"]

    private func event(_ changes: (String, Value)...) throws(CloudEventError) -> CloudEvent {
        var object = plain
        for (name, value) in changes { object[name] = value }
        return try CloudEvent(.object(object))
    }

    private func refusal(_ changes: (String, Value)...) -> String? {
        var object = plain
        for (name, value) in changes { object[name] = value }
        return refusal(of: .object(object))
    }

    private func refusal(of value: Value) -> String? {
        do throws(CloudEventError) {
            _ = try CloudEvent(value)
            return nil
        } catch {
            return "\(error.kind.rawValue) \(error.message)"
        }
    }

    @Test("an event keeps everything it was sent with")
    func whole() throws {
        var object = plain
        object["key"] = "42"
        object["subject"] = "orders/42"
        object["time"] = "2026-11-20T10:15:00.5+01:00"
        object["datacontenttype"] = "application/json; charset=utf-8"
        object["dataschema"] = "https://example.org/schemas/order"
        object["retries"] = 3
        object["urgent"] = true
        object["note"] = ""
        object["data"] = ["amount": 3.5, "Items": [1, nil]]
        let event = try CloudEvent(.object(object))
        #expect(event.object == object)
        #expect([event.id, event.source, event.type, event.key] == ["1", "/shop", "order.paid", "42"])
        #expect(event.size == JSON.compact(.object(object)).count)
    }

    @Test("an attribute that is null is unset, and data may be null")
    func nulls() throws {
        #expect(try event(("subject", nil), ("key", nil)).object == plain)
        #expect(try event(("data_base64", nil)).object == plain)
        #expect(try event(("data", nil)).object["data"] == .some(.null))
        #expect(refusal(("id", nil)) == "schema id: is missing")
    }

    @Test(
        "what an event lacks, or has too much, is said with the member's name",
        arguments: [
            ("specversion", "0.3", #"schema specversion: expected "1.0", got "0.3""#),
            ("id", "", "schema id: is empty"),
            ("id", 1, "schema id: expected string, got integer; what has structure belongs in data"),
            ("type", "a\u{7}", "schema type: holds a control character"),
            ("source", "a b", #"schema source: expected a URI reference, got "a b""#),
            ("dataschema", "/relative", #"schema dataschema: expected a URI, got "/relative""#),
            ("time", "today", #"schema time: expected a time such as 2026-11-20T10:15:00Z, got "today""#),
            (
                "datacontenttype", "json",
                #"schema datacontenttype: expected a media type such as application/json, got "json""#
            ),
            ("key", 42, "schema key: expected string, got integer; what has structure belongs in data"),
            ("key", "", "schema key: is empty"),
            (
                "extra", ["a"],
                "schema extra: expected string, boolean or integer, got list; what has structure belongs in data"
            ),
            (
                "extra", 1.5,
                "schema extra: expected string, boolean or integer, got number; what has structure belongs in data"
            ),
            (
                "extra", 2_147_483_648,
                "schema extra: integers have 32 bits, got 2147483648; write it as a string"
            ),
            (
                "dataSchema", "x:y",
                #"schema "dataSchema": attribute names are lower-case letters and digits; did you mean 'dataschema'?"#
            ),
            ("data_base64", "abc", #"schema data_base64: expected a string in base64, got "abc""#),
            ("data_base64", "ab=c", #"schema data_base64: expected a string in base64, got "ab=c""#),
        ] as [(String, Value, String)])
    func mistakes(_ name: String, _ value: Value, _ message: String) {
        #expect(refusal((name, value)) == message)
    }

    @Test("both kinds of data at once, no map, and an empty name are refused")
    func shapes() {
        #expect(
            refusal(("data", 1), ("data_base64", "YQ=="))
                == "schema data, data_base64: only one of the two may be there")
        #expect(refusal(of: [1]) == "schema expected a map with specversion, id, source and type, got list")
        #expect(refusal(("", "x")) == #"schema "": attribute names are lower-case letters and digits"#)
        #expect(refusal(("data_base64", "YWI=")) == nil)
    }

    @Test("an event of more than 64 KiB is refused by its size, whatever its spelling")
    func size() throws {
        let room = CloudEvent.largestSize - JSON.compact(.object(plain)).count - #","data":"""#.utf8.count
        #expect(try event(("data", .string(String(repeating: "x", count: room)))).size == CloudEvent.largestSize)
        #expect(
            refusal(("data", .string(String(repeating: "x", count: room + 1))))
                == "size the event has 65537 bytes, and at most 65536 are accepted")
    }

    @Test("data that nests deeper than values may is refused")
    func depth() {
        var data: Value = 1
        for _ in 0..<100 { data = [data] }
        #expect(refusal(("data", data)) == "schema data: is nested deeper than 100 levels")
    }

    @Test("source and id make the identity, and neither can be taken for the other")
    func identity() throws {
        let first = try event()
        #expect(try event(("type", "other")).identity == first.identity)
        #expect(try event(("id", "2")).identity != first.identity)
        #expect(try event(("source", "/sho"), ("id", "p1")).identity != first.identity)
        #expect(try event(("source", "1"), ("id", "/shop")).identity != first.identity)
    }

    @Test("the content is what an event says, not how it was spelled")
    func content() throws {
        let one = try CloudEvent(
            try JSON.parse(#"{"id":"1","source":"/s","type":"t","specversion":"1.0","data":{"a":1.50,"b":2}}"#))
        let other = try CloudEvent(
            try JSON.parse(
                #"{"data":{"b":2,"a":1.5},"subject":null,"specversion":"1.0","type":"t","source":"/s","id":"1"}"#)
        )
        #expect(one.content == other.content)
        #expect(one == other)
        #expect(try event().content != event(("data", 1)).content)
    }
}

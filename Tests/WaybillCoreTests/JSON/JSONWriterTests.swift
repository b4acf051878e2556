import Testing
import WaybillCore

@Suite("Writing JSON")
struct JSONWriterTests {
    private func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }

    @Test("compact is one line with members in code-point order")
    func compact() {
        let value: Value = ["b": [1, nil, true], "a": ["x": "y"], "A": [:], "é": []]
        #expect(text(JSON.compact(value)) == #"{"A":{},"a":{"x":"y"},"b":[1,null,true],"é":[]}"#)
    }

    @Test("pretty indents by two spaces and ends in a newline")
    func pretty() {
        let value: Value = ["b": [1, [], [:]], "a": ["x": "y"]]
        let expected = """
            {
              "a": {
                "x": "y"
              },
              "b": [
                1,
                [],
                {}
              ]
            }

            """
        #expect(text(JSON.pretty(value)) == expected)
    }

    @Test(
        "doubles have the fewest digits that read back the same, and always a fraction or an exponent",
        arguments: [
            (80, "80.0"), (0, "0.0"), (-0.0, "-0.0"), (0.1, "0.1"), (-2.5, "-2.5"), (1e21, "1e+21"),
            (1e20, "100000000000000000000.0"), (0x1.ac53a7e04bcdap+66, "123456789012345680000.0"),
            (1e-6, "0.000001"), (1e-7, "1e-7"), (1.5e-9, "1.5e-9"), (.leastNonzeroMagnitude, "5e-324"),
            (1.7976931348623157e308, "1.7976931348623157e+308"), (4.35, "4.35"),
            (9_007_199_254_740_992, "9007199254740992.0"),
        ] as [(Double, String)])
    func doubles(value: Double, expected: String) throws {
        #expect(text(JSON.compact(.double(value))) == expected)
        #expect(try JSON.parse(expected) == .double(value))
    }

    @Test("only what must be escaped is")
    func escapes() {
        let value = Value.string("\"\\/\u{8}\u{C}\n\r\t\u{1}\u{7F}é\u{2028}😀")
        #expect(text(JSON.compact(value)) == "\"\\\"\\\\/\\b\\f\\n\\r\\t\\u0001\u{7F}é\u{2028}😀\"")
    }

    @Test("a number that is none has no JSON")
    func notFinite() {
        #expect(text(JSON.compact([.double(.infinity), .double(.nan)])) == "[null,null]")
        #expect(throws: JSONError.self) { try JSON.canonical([.double(.nan)]) }
    }

    @Test("canonical has doubles as ECMAScript writes them and members in UTF-16 order")
    func canonical() throws {
        let value: Value = ["\u{FB33}": 1.0, "\u{1F600}": -0.0, "a": .int(.max), "": 1e21]
        #expect(
            text(try JSON.canonical(value))
                == "{\"\":1e+21,\"a\":9223372036854775807,\"\u{1F600}\":0,\"\u{FB33}\":1}")
    }

    @Test("a member on one line is compact, and what follows it is as before")
    func onOneLine() {
        var writer = JSONWriter(style: .pretty)
        writer.beginObject()
        writer.member("a", onOneLine: ["x": [1, [:]], "y": nil])
        writer.member("b", [true] as Value)
        writer.endObject()
        let expected = """
            {
              "a": {"x":[1,{}],"y":null},
              "b": [
                true
              ]
            }

            """
        #expect(text(writer.finish()) == expected)
    }

    @Test("members can be written one by one in any order")
    func streaming() {
        for (style, expected) in [
            (JSONWriter.Style.compact, #"{"z":17,"a":{"n":null,"t":true},"l":[0.5,"x"],"e":[]}"#),
            (
                .pretty,
                """
                {
                  "z": 17,
                  "a": {
                    "n": null,
                    "t": true
                  },
                  "l": [
                    0.5,
                    "x"
                  ],
                  "e": []
                }

                """
            ),
        ] {
            var writer = JSONWriter(style: style)
            writer.beginObject()
            writer.member("z", 17)
            writer.name("a")
            writer.beginObject()
            writer.member("n", String?.none)
            writer.member("t", true)
            writer.endObject()
            writer.member("l", [0.5, "x"] as Value)
            writer.name("e")
            writer.beginList()
            writer.endList()
            writer.endObject()
            #expect(text(writer.finish()) == expected)
        }
    }
}

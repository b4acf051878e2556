import Testing
import WaybillCore
import WaybillTestKit

@Suite("Reading JSON")
struct JSONParserTests {
    private func failure(_ text: String, limits: JSON.Limits = .standard) -> JSONError? {
        do {
            _ = try JSON.parse(text, limits: limits)
            return nil
        } catch {
            return error
        }
    }

    @Test("a document becomes a value with exact numbers")
    func document() throws {
        let value = try JSON.parse(#" {"b":[1,-2.50,1e2,true,null],"a":"x\né"} "#)
        #expect(value == ["a": "x\né", "b": [1, -2.5, 100.0, true, nil]])
    }

    @Test(
        "numbers without fraction or exponent are ints as long as 64 bits hold them",
        arguments: [
            ("0", Value.int(0)), ("-0", .int(0)), ("9223372036854775807", .int(.max)),
            ("-9223372036854775808", .int(.min)), ("9223372036854775808", .double(9_223_372_036_854_775_808)),
            ("-9223372036854775809", .double(-9_223_372_036_854_775_808)), ("18446744073709551616", .double(0x1p64)),
            ("1.0", .double(1)), ("-0.0", .double(-0.0)), ("1E2", .double(100)), ("1e-2", .double(0.01)),
            ("0.1", .double(0.1)), ("5e-324", .double(.leastNonzeroMagnitude)), ("1e-400", .double(0)),
            ("1.7976931348623157e308", .double(.greatestFiniteMagnitude)),
            ("0.000000000000000000000000000000000000000000001", .double(1e-45)),
            ("123456789012345678901234567890e-10", .double(12_345_678_901_234_567_890.123456789)),
            ("0e99999999999999999999", .double(0)),
        ])
    func numbers(text: String, expected: Value) throws {
        #expect(try JSON.parse(text) == expected)
    }

    @Test("escapes become the characters they name")
    func escapes() throws {
        let value = try JSON.parse(#""\"\\\/\b\f\n\r\t\u00e9\ud83d\ude00\u0000""#)
        #expect(value == .string("\"\\/\u{8}\u{C}\n\r\té😀\0"))
    }

    @Test(
        "what the grammar does not have is refused at its place",
        arguments: [
            ("", 0), ("[1,]", 3), ("{\"a\":1,}", 7), ("[01]", 1), ("[1.]", 3), ("[.5]", 1), ("[+1]", 1), ("[1e]", 3),
            ("[1 2]", 3), ("tru", 0), ("nul", 0), ("[NaN]", 1), ("{a:1}", 1), ("{\"a\" 1}", 5), ("'a'", 0),
            ("\"a", 0), ("\"\\x\"", 1), ("\"\\u12g4\"", 5), ("\"\t\"", 1), ("1 2", 2), ("\u{FEFF}1", 0), ("[1]]", 3),
        ])
    func grammar(text: String, offset: Int) {
        let error = failure(text)
        #expect(error?.code == .syntax)
        #expect(error?.offset == offset)
    }

    @Test("line and column count from 1, columns in code points")
    func place() {
        let error = failure("{\"ä\": 1,\n \"é\": x}")
        #expect(error?.line == 2)
        #expect(error?.column == 7)
        #expect(error?.description == "expected a value, got 'x' (line 2, column 7)")
    }

    @Test(
        "bytes that are no UTF-8 are refused", arguments: [[0xFF], [0xC0, 0x80], [0xED, 0xA0, 0x80], [0xE2, 0x82]])
    func encoding(bytes: [UInt8]) {
        let document = [UInt8(ascii: "\"")] + bytes + [UInt8(ascii: "\"")]
        #expect(throws: JSONError(code: .encoding, message: "a string is not UTF-8", offset: 1, line: 1, column: 2)) {
            try JSON.parse(document)
        }
    }

    @Test("half of a surrogate pair is refused", arguments: [#""\ud800""#, #""\udc00""#, #""\ud800\u0041""#])
    func surrogates(text: String) {
        #expect(failure(text)?.code == .surrogate)
    }

    @Test("two members of one name are refused, or the later one counts where that is asked for")
    func duplicates() throws {
        #expect(failure(#"{"a":1,"b":2,"a":3}"#)?.code == .duplicate)
        let limits = JSON.Limits(allowsDuplicateMembers: true)
        #expect(try JSON.parse(#"{"a":1,"b":2,"a":3}"#, limits: limits) == ["a": 3, "b": 2])
    }

    @Test("names that only look alike are two names")
    func lookAlikes() throws {
        let value = try JSON.parse("{\"\u{E9}\":1,\"e\u{301}\":2}")
        #expect(value.objectValue?.count == 2)
    }

    @Test("nesting ends at the limit, however deep the document goes")
    func depth() throws {
        let limits = JSON.Limits(depth: 3)
        #expect(try JSON.parse("[[[1]]]", limits: limits) == [[[1]]])
        #expect(failure("[[[[1]]]]", limits: limits)?.code == .depth)
        #expect(failure(String(repeating: "[{\"a\":", count: 100_000))?.code == .depth)
        let deepest = String(repeating: "[", count: 1_024) + String(repeating: "]", count: 1_024)
        #expect(failure(deepest, limits: JSON.Limits(depth: .max)) == nil)
    }

    @Test("a document beyond the limit is not looked at")
    func size() {
        #expect(failure("[1,2]", limits: JSON.Limits(bytes: 4))?.code == .size)
    }

    @Test("a number beyond every double is refused", arguments: ["1e400", "-1e999999999999999999999"])
    func infinite(text: String) {
        #expect(failure(text)?.code == .number)
    }

    @Test("any bytes are read or refused, and what is read is written so that it reads the same")
    func anything() throws {
        let seeds = [
            #"{"a":[1,2.5e-7,"\u00e9\ud83d\ude00",{"b":null}],"":-0.0}"#, "[[],{},\"\\\\\",18446744073709551615]",
        ]
        var random = SeededGenerator(42)
        for seed in seeds {
            for _ in 0..<20_000 {
                var bytes = Array(seed.utf8)
                for _ in 0...Int(random.next() % 4) {
                    let index = Int(random.next() % UInt64(bytes.count))
                    switch random.next() % 3 {
                    case 0: bytes[index] = UInt8(truncatingIfNeeded: random.next())
                    case 1: bytes.remove(at: index)
                    default: bytes.insert(bytes[Int(random.next() % UInt64(bytes.count))], at: index)
                    }
                    if bytes.isEmpty { bytes = [0x20] }
                }
                guard let value = try? JSON.parse(bytes) else { continue }
                let again = try JSON.parse(JSON.compact(value))
                #expect(again == value)
                #expect(try JSON.parse(JSON.pretty(value)) == value)
            }
        }
    }
}

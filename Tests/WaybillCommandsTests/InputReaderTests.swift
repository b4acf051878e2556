import Testing
import WaybillCore

@testable import WaybillCommands

@Suite("Inputs of the command line")
struct InputReaderTests {
    private func value(_ text: String, _ schema: Value?) throws -> Value {
        try InputReader.value(text, schema: schema, option: "--input x")
    }

    @Test("where a string is wanted, text stays text")
    func strings() throws {
        for text in ["1", "true", "null", "{a", "2026-11-20", ""] {
            #expect(try value(text, ["type": "string"]) == .string(text))
        }
    }

    @Test("elsewhere text is a YAML value, which JSON is too")
    func values() throws {
        #expect(try value("3", ["type": "integer"]) == 3)
        #expect(try value("2.5", ["type": "number"]) == 2.5)
        #expect(try value("true", ["type": "boolean"]) == true)
        #expect(try value(#"["a", 1]"#, ["type": "array"]) == ["a", 1])
        #expect(try value("{a: b}", ["type": "object"]) == ["a": "b"])
        #expect(try value("v1", nil) == "v1")
        #expect(try value("1", nil) == 1)
    }

    @Test("a choice among texts is a text")
    func choices() throws {
        #expect(try value("no", ["enum": ["yes", "no"]]) == "no")
        #expect(try value("1", ["enum": ["1", "2"]]) == "1")
        #expect(try value("1", ["enum": [1, 2]]) == 1)
    }

    @Test("what is no YAML is a string where strings are welcome, and a mistake elsewhere")
    func noYAML() throws {
        #expect(try value("{open", ["type": ["string", "object"]]) == "{open")
        #expect(throws: CommandError.self) { try value("{open", ["type": "object"]) }
    }

    @Test("an input is given once")
    func twice() throws {
        #expect(try InputReader.inputs(["n=1", "m=1"], file: nil, of: nil) == ["m": 1, "n": 1])
        #expect {
            try InputReader.inputs(["n=1", "n=2"], file: nil, of: nil)
        } throws: { error in
            (error as? CommandError)?.status == .usage
        }
    }
}

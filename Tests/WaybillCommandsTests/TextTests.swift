import Testing
import WaybillCore

@testable import WaybillCommands

@Suite("Texts for people")
struct TextTests {
    @Test(
        "spans show their two greatest units",
        arguments: [
            (0, "0ms"), (250, "250ms"), (4_200, "4.2s"), (42_900, "42s"), (192_000, "3m 12s"), (7_200_000, "2h"),
            (7_500_000, "2h 5m"), (273_600_000, "3d 4h"), (-5, "0ms"),
        ])
    func spans(milliseconds: Int, text: String) {
        #expect(Text.span(.milliseconds(milliseconds)) == text)
    }

    @Test("times are shown in UTC to the second, and what is none as it is")
    func times() {
        #expect(Text.time("2026-11-20T10:15:03.214159Z") == "2026-11-20 10:15:03 UTC")
        #expect(Text.time("soon\n") == "soon ")
        #expect(Text.time(nil) == "")
    }

    @Test("distances have a direction")
    func distances() throws {
        let now = try #require(Timestamp(rfc3339: "2026-11-20T10:00:00Z"))
        #expect(Text.distance("2026-11-20T09:00:00Z", from: now) == "1h ago")
        #expect(Text.distance("2026-11-22T11:00:00Z", from: now) == "in 2d 1h")
        #expect(Text.distance("never", from: now) == "")
    }

    @Test("texts are cut by columns, not by bytes")
    func cutting() {
        #expect(Text.cut("abcdef", to: 6) == "abcdef")
        #expect(Text.cut("abcdefg", to: 6) == "abcde…")
        #expect(Text.cut("日本語日本語", to: 6) == "日本…")
        #expect(Text.cut("abc", to: 1) == "…")
        #expect(Text.cut("abc", to: 0) == "")
        #expect(Text.pad("日本", to: 6) == "日本  ")
    }

    @Test("control characters of others never reach a terminal")
    func controls() {
        #expect(Text.oneLine("a\u{1B}[31m\nb\u{9B}c") == "a [31m b c")
        #expect(Text.printable("a\u{7}\tb\nc") == "a \tb\nc")
    }

    @Test("numbers have their noun in the right form")
    func counting() {
        #expect(Text.count(1, "entry", "entries") == "1 entry")
        #expect(Text.count(0, "run") == "0 runs")
    }

    @Test("a text is shown as it is, other values as JSON")
    func values() {
        #expect(Text.value("a b") == "a b")
        #expect(Text.value(["a": [1, true]]) == #"{"a":[1,true]}"#)
    }
}

import Testing
import WaybillCore

@Suite("Durations as text")
struct DurationTextTests {
    @Test(
        "numbers with units add up",
        arguments: [
            ("90s", .seconds(90), "1m30s"), ("10m", .seconds(600), "10m"), ("1h30m", .seconds(5_400), "1h30m"),
            ("3d", .seconds(259_200), "3d"), ("250ms", .milliseconds(250), "250ms"), ("1w", .seconds(604_800), "7d"),
            ("1.5h", .seconds(5_400), "1h30m"), ("0s", .zero, "0s"), ("0.0000014s", .microseconds(1), "1us"),
            ("0.1234567s", .microseconds(123_456), "123ms456us"),
            ("1d2h3m4s5ms6us", .microseconds(93_784_005_006), "1d2h3m4s5ms6us"),
        ] as [(String, Duration, String)])
    func reading(text: String, expected: Duration, canonical: String) {
        #expect(Duration(text: text) == expected)
        #expect(expected.text == canonical)
        #expect(Duration(text: canonical) == expected)
    }

    @Test(
        "everything else is refused",
        arguments: [
            "", "5", "s", "-5s", "+5s", " 5s", "5 s", "5S", "5y", "1m1h", "1s1s", "1.s", ".5s", "1..5s", "1e3s",
            "101000d", "99999999999999999999s", "9223372036854775807w", "٥s",
        ])
    func refused(text: String) {
        #expect(Duration(text: text) == nil)
    }

    @Test("a negative span has a minus, microseconds are cut towards zero and never overflow")
    func edges() {
        #expect(Duration.seconds(-90).text == "-1m30s")
        #expect(Duration.nanoseconds(1_999).microseconds == 1)
        #expect(Duration.seconds(Int64.max).microseconds == .max)
        #expect(Duration.seconds(Int64.min).microseconds == .min)
    }
}

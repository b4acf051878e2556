import Testing
import WaybillCore
import WaybillExpressions

@Suite("Times and zones")
struct TimeValueTests {
    @Test(
        "durations are read and written",
        arguments: [
            ("1h30m", "5400s"), ("-1.5s", "-1.5s"), ("250ms", "0.25s"), ("1us1ns", "0.000001001s"), ("0", "0s"),
            ("+2m", "120s"), (".5s", "0.5s"),
            ("1.s", "1s"), ("-2562047h47m16.854775808s", "-9223372036.854775808s"), ("3\u{b5}s", "0.000003s"),
        ])
    func durations(text: String, expected: String) throws {
        #expect(CELDuration(text: text)?.description == expected)
    }

    @Test(
        "what is no duration is refused",
        arguments: ["", "1", "s", "1x", "-", ".s", "1s1", "2562047h47m16.854775808s", "99999999999999999999s", "1 s"])
    func noDurations(text: String) {
        #expect(CELDuration(text: text) == nil)
    }

    @Test(
        "times are read and written",
        arguments: [
            ("2026-11-20T10:15:03.214159Z", "2026-11-20T10:15:03.214159Z"),
            ("2026-11-20T10:15:03+02:00", "2026-11-20T08:15:03Z"),
            ("0001-01-01T00:00:00Z", "0001-01-01T00:00:00Z"),
            ("1969-12-31T23:59:59.999999999Z", "1969-12-31T23:59:59.999999999Z"),
            ("2024-02-29t00:00:00z", "2024-02-29T00:00:00Z"),
        ])
    func times(text: String, expected: String) {
        #expect(CELTimestamp(rfc3339: text)?.description == expected)
    }

    @Test(
        "what is no time is refused",
        arguments: [
            "", "2026-11-20", "2026-11-20T10:15:03", "2026-02-29T00:00:00Z", "2026-11-20T24:00:00Z",
            "2026-11-20T10:15:60Z", "0000-12-31T00:00:00Z",
            "9999-12-31T23:59:59-01:00", "2026-11-20T10:15:03.Z", "2026-11-20 10:15:03Z", "2026-11-20T10:15:03Zx",
        ])
    func noTimes(text: String) {
        #expect(CELTimestamp(rfc3339: text) == nil)
    }

    @Test("a zone's transitions and the rule after them give the offset")
    func zoneFile() throws {
        let zone = try #require(ZoneFile(tzif: Self.file(rule: "CET-1CEST,M3.5.0,M10.5.0/3")))
        #expect(zone.offsetSeconds(at: -1) == 600)
        #expect(zone.offsetSeconds(at: 0) == 3_600)
        #expect(zone.offsetSeconds(at: 999) == 3_600)
        // Summer time in Paris begins at 2027-03-28T01:00Z and ends at 2027-10-31T01:00Z.
        #expect(zone.offsetSeconds(at: 1_806_195_599) == 3_600)
        #expect(zone.offsetSeconds(at: 1_806_195_600) == 7_200)
        #expect(zone.offsetSeconds(at: 1_824_944_399) == 7_200)
        #expect(zone.offsetSeconds(at: 1_824_944_400) == 3_600)
    }

    @Test(
        "rules of every form are read",
        arguments: [
            ("<+0545>-5:45", 1_806_195_600, 20_700), ("EST5EDT,M3.2.0,M11.1.0", 1_783_000_000, -14_400),
            ("AEST-10AEDT,M10.1.0,M4.1.0/3", 1_800_000_000, 39_600),
            ("XXX0YYY,J60/0,J300/0", 1_783_000_000, 3_600), ("<-02>2<-01>,M3.5.0/-1,M10.5.0/0", 1_783_000_000, -3_600),
            ("XXX3YYY2,59,300", 1_770_000_000, -10_800),
        ])
    func rules(rule: String, time: Int64, offset: Int) throws {
        #expect(try #require(ZoneFile(tzif: Self.file(rule: rule))).offsetSeconds(at: time) == offset)
    }

    @Test("files that are cut or damaged are refused, never trusted")
    func damagedFiles() {
        let file = Self.file(rule: "UTC0")
        for length in 0..<file.count - 6 { #expect(ZoneFile(tzif: Array(file[..<length])) == nil) }
        for index in file.indices {
            for byte: UInt8 in [0, 0x7F, 0xFF] {
                var damaged = file
                damaged[index] = byte
                _ = ZoneFile(tzif: damaged)?.offsetSeconds(at: 1_783_000_000)
            }
        }
    }

    @Test("zones are found by name, and names cannot leave their folder")
    func zoneFiles() throws {
        let zones = ZoneFiles { name in name == "Europe/Paris" ? Self.file(rule: "CET-1CEST,M3.5.0,M10.5.0/3") : nil }
        #expect(try evaluate("timestamp('2027-07-01T00:00:00Z').getHours('Europe/Paris')", zones: zones) == .int(2))
        for name in ["../etc/passwd", "Europe//Paris", "/Europe/Paris", "", "Europe/Pari", "."] {
            #expect(zones.file(zone: name) == nil)
        }
    }

    /// A file with one transition, at 0 from 10 minutes to one hour, and a rule for what follows 1000.
    private static func file(rule: String) -> [UInt8] {
        func big(_ value: Int64, _ size: Int) -> [UInt8] {
            (0..<size).map { UInt8(truncatingIfNeeded: value >> Int64(8 * (size - 1 - $0))) }
        }
        func header(times: Int64) -> [UInt8] {
            Array("TZif2".utf8) + [UInt8](repeating: 0, count: 15) + [0, 0, 0, times, 2, 4].flatMap { big($0, 4) }
        }
        let types = big(600, 4) + [0, 0] + big(3_600, 4) + [0, 0] + Array("AAA\0".utf8)
        let first = header(times: 1) + big(0, 4) + [1] + types
        let second = header(times: 2) + big(0, 8) + big(1_000, 8) + [1, 1] + types
        return first + second + Array("\n\(rule)\n".utf8)
    }
}

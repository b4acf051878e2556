import Testing
import WaybillCore

@Suite("Timestamps")
struct TimestampTests {
    @Test(
        "what is written reads back",
        arguments: [
            (1_795_169_703_214_159, "2026-11-20T10:15:03.214159Z"), (0, "1970-01-01T00:00:00.000000Z"),
            (-1, "1969-12-31T23:59:59.999999Z"), (951_782_400_000_000, "2000-02-29T00:00:00.000000Z"),
            (-62_135_596_800_000_000, "0001-01-01T00:00:00.000000Z"),
            (253_402_300_799_999_999, "9999-12-31T23:59:59.999999Z"),
        ] as [(Int64, String)])
    func roundTrip(microseconds: Int64, text: String) {
        #expect(Timestamp(microseconds: microseconds).description == text)
        #expect(Timestamp(rfc3339: text)?.microseconds == microseconds)
        #expect(Array(text.utf8).withUnsafeBytes { Timestamp(spelling: $0) }?.microseconds == microseconds)
    }

    @Test("as a spelling, only what is written is read")
    func spelling() {
        let written = Array("2024-02-29T10:15:03.214159Z".utf8)
        for index in written.indices {
            for byte in Array("0123456789-T:.Zt z/+".utf8) {
                var other = written
                other[index] = byte
                let read = other.withUnsafeBytes { Timestamp(spelling: $0) }
                let text = String(decoding: other, as: UTF8.self)
                let expected = Timestamp(rfc3339: text).flatMap { $0.description == text ? $0 : nil }
                #expect(read == expected, "\(text)")
            }
            #expect(written[..<index].withUnsafeBytes { Timestamp(spelling: $0) } == nil)
        }
    }

    @Test(
        "every spelling of RFC 3339 names its moment",
        arguments: [
            ("2026-11-20T12:15:03+02:00", "2026-11-20T10:15:03.000000Z"),
            ("2026-11-20t10:15:03.5z", "2026-11-20T10:15:03.500000Z"),
            ("2026-11-20T10:15:03.1234567890Z", "2026-11-20T10:15:03.123456Z"),
            ("2026-01-01T00:30:00+01:00", "2025-12-31T23:30:00.000000Z"),
            ("2016-12-31T23:59:60Z", "2017-01-01T00:00:00.000000Z"),
            ("2016-12-31T15:59:60-08:00", "2017-01-01T00:00:00.000000Z"),
        ])
    func spellings(text: String, expected: String) {
        #expect(Timestamp(rfc3339: text)?.description == expected)
    }

    @Test(
        "what is no moment is refused",
        arguments: [
            "", "2026-11-20", "2026-11-20T10:15:03", "2026-11-20 10:15:03Z", "2026-02-29T00:00:00Z",
            "2026-13-01T00:00:00Z", "2026-00-01T00:00:00Z", "2026-11-31T00:00:00Z", "2026-11-20T24:00:00Z",
            "2026-11-20T10:60:00Z", "2026-11-20T10:15:60Z", "2026-11-20T10:15:03.Z", "2026-11-20T10:15:03+2:00",
            "2026-11-20T10:15:03Z ", "0000-01-01T00:00:00Z", "0001-01-01T00:00:00+01:00", "٢٠٢٦-11-20T10:15:03Z",
        ])
    func refused(text: String) {
        #expect(Timestamp(rfc3339: text) == nil)
    }

    @Test("sums stop at the ends of the years")
    func arithmetic() {
        let start = Timestamp(microseconds: 1_000_000)
        #expect(start + .milliseconds(1_500) == Timestamp(microseconds: 2_500_000))
        #expect(start - .seconds(2) == Timestamp(microseconds: -1_000_000))
        #expect(Timestamp(microseconds: 2_500_000) - start == .milliseconds(1_500))
        #expect(Timestamp.latest + .seconds(1) == .latest)
        #expect(Timestamp.earliest - .seconds(Int64.max) == .earliest)
        #expect(start < start + .microseconds(1))
    }

    @Test("every day of four centuries survives the calendar")
    func calendar() {
        var expected = CivilDate(year: 1900, month: 1, day: 1)
        let first = expected.daysSince1970
        for day in first..<(first + 146_097) {
            #expect(CivilDate(daysSince1970: day) == expected)
            #expect(expected.daysSince1970 == day)
            expected.day += 1
            if expected.day > CivilDate.days(inMonth: expected.month, of: expected.year) {
                expected = CivilDate(
                    year: expected.month == 12 ? expected.year + 1 : expected.year, month: expected.month % 12 + 1,
                    day: 1)
            }
        }
        #expect(expected == CivilDate(year: 2300, month: 1, day: 1))
    }
}

import Testing
import WaybillCore

@testable import WaybillExpressions

@Suite("Stretches of one offset")
struct ZoneSpanTests {
    private func seconds(_ text: String) throws -> Int64 {
        try #require(Timestamp(rfc3339: text)).microseconds / 1_000_000
    }

    @Test("a rule gives stretches without end")
    func rule() throws {
        let zone = try #require(ZoneFile(rule: "CET-1CEST,M3.5.0,M10.5.0/3"))
        let winter = zone.span(at: try seconds("2027-01-01T00:00:00Z"))
        #expect(try winter.start == seconds("2026-10-25T01:00:00Z"))
        #expect(try winter.end == seconds("2027-03-28T01:00:00Z"))
        #expect(winter.offset == 3_600 && winter.previousOffset == 7_200)
        let summer = zone.span(at: winter.end)
        #expect(summer.start == winter.end)
        #expect(try summer.end == seconds("2027-10-31T01:00:00Z"))
        #expect(summer.offset == 7_200 && summer.previousOffset == 3_600)
    }

    @Test("a zone that never changes is one stretch")
    func fixed() {
        let all = ZoneSpan(
            start: ZoneSpan.bounds.lowerBound, end: ZoneSpan.bounds.upperBound, offset: -3_600, previousOffset: -3_600)
        #expect(ZoneFile(offsetSeconds: -3_600).span(at: 0) == all)
        #expect(ZoneFile(rule: "AAA1")?.span(at: 0) == all)
        // Summer from the first second of the year to the last, as RFC 9636 writes a summer without end.
        let perpetual = ZoneFile(rule: "AAA2BBB1,0/0,J365/25")
        #expect(perpetual?.span(at: 1_800_000_000) == all)
    }

    @Test("a change at the ends of 64 bits is one before or after all years")
    func farAway() throws {
        for end in [Int64.min, .max] {
            let header = Array("TZif2".utf8) + [UInt8](repeating: 0, count: 30) + [1, 0, 0, 0, 2, 0, 0, 0, 4]
            let types: [UInt8] = [0, 0, 14, 16, 0, 0, 0, 0, 28, 32, 0, 0] + Array("AAA\0".utf8)
            let time = (0..<8).map { UInt8(truncatingIfNeeded: end >> (56 - 8 * Int64($0))) }
            let first = header + [0, 0, 0, 0, 1] + types
            let zone = try #require(ZoneFile(tzif: first + header + time + [1] + types + Array("\n\n".utf8)))
            let span = zone.span(at: 0)
            #expect(span.start == ZoneSpan.bounds.lowerBound && span.end == ZoneSpan.bounds.upperBound)
            #expect(span.offset == (end < 0 ? 7_200 : 3_600))
        }
    }

    @Test(
        "stretches of every rule meet without a gap",
        arguments: [
            "CET-1CEST,M3.5.0,M10.5.0/3", "<-03>3<-02>,M3.5.0/-2,M10.5.0/-1", "IST-1GMT0,M10.5.0,M3.5.0/1",
            "EET-2EEST,M3.4.4/50,M10.4.4/50", "AAA0BBB-4,J60/167,300/-167", "AAA-13BBB,M12.1.0/167,M2.1.0/-167",
            "AAA12BBB-12,1,3",
        ])
    func contiguous(_ rule: String) throws {
        let zone = try #require(ZoneFile(rule: rule))
        var span = zone.span(at: try seconds("2020-06-01T00:00:00Z"))
        for _ in 0..<40 {
            let next = zone.span(at: span.end)
            try #require(next.start == span.end && next.previousOffset == span.offset && next.offset != span.offset)
            #expect(zone.span(at: span.end - 1) == span)
            span = next
        }
    }
}

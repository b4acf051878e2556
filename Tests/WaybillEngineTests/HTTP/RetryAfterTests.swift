import Testing
import WaybillCore
import WaybillEngine

struct RetryAfterTests {
    /// 1994-11-06T08:49:00.5Z.
    private let now = Timestamp(microseconds: 784_111_740_500_000)

    @Test(
        "a number of seconds counts from now",
        arguments: [("0", 0), ("120", 120), (" 7\t", 7), ("0030", 30), ("604800", 604_800)])
    func seconds(text: String, expected: Int) {
        #expect(RetryAfter.parse(text, now: now) == now + .seconds(expected))
    }

    @Test(
        "the three forms of a date name one moment",
        arguments: ["Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994"])
    func dates(text: String) {
        #expect(RetryAfter.parse(text, now: now) == Timestamp(rfc3339: "1994-11-06T08:49:37Z"))
    }

    @Test("a day of two digits is read in the form of asctime too")
    func asctimeDay() {
        #expect(
            RetryAfter.parse("Thu Nov 10 00:00:00 1994", now: now) == Timestamp(rfc3339: "1994-11-10T00:00:00Z"))
    }

    @Test("what is past means now", arguments: ["Sun, 06 Nov 1994 08:48:59 GMT", "Thu, 01 Jan 1970 00:00:00 GMT"])
    func past(text: String) {
        #expect(RetryAfter.parse(text, now: now) == now)
    }

    @Test(
        "patience has an end",
        arguments: ["604801", "999999999999999999999999999", "Sun, 06 Nov 2094 08:49:37 GMT"])
    func bounded(text: String) {
        #expect(RetryAfter.parse(text, now: now) == now + RetryAfter.longest)
    }

    @Test("a year of two digits is past if it would be more than 50 years away")
    func twoDigitYears() {
        // 2044 is 50 years away, 2045 would be 51 and is 1945.
        #expect(RetryAfter.parse("Sunday, 06-Nov-44 08:49:37 GMT", now: now) == now + RetryAfter.longest)
        #expect(RetryAfter.parse("Sunday, 06-Nov-45 08:49:37 GMT", now: now) == now)
    }

    @Test("a leap second is a moment")
    func leapSecond() {
        #expect(
            RetryAfter.parse("Sun, 06 Nov 1994 08:59:60 GMT", now: now) == Timestamp(rfc3339: "1994-11-06T09:00:00Z"))
    }

    @Test(
        "anything else says nothing",
        arguments: [
            "", " ", "-1", "+1", "1.5", "1 2", "120, 120", "soon", "1e3", "Sun, 06 Nov 1994 08:49:37 UTC",
            "Sun, 31 Feb 1994 08:49:37 GMT", "Sun, 06 Nov 1994 24:00:00 GMT", "Sun, 06 Nov 1994 08:60:00 GMT",
            "Sun, 6 Nov 1994 08:49:37 GMT", "sun, 06 nov 1994 08:49:37 gmt", "Son, 06 Nov 1994 08:49:37 GMT",
            "Sun 06 Nov 1994 08:49:37 GMT", "Sun, 06 Nov 0000 08:49:37 GMT", "Sunday, 06-Nov-1994 08:49:37 GMT",
            "Sun, 06 Nov 1994 08:49 GMT", "1994-11-06T08:49:37Z", "٣",
        ])
    func refused(text: String) {
        #expect(RetryAfter.parse(text, now: now) == nil)
    }
}

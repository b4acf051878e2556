import WaybillCore
import WaybillExpressions

/// Small things that are written as text are read as what they were; a compiled time zone is used or refused.
func fuzzText(_ bytes: [UInt8]) {
    let text = bytes.text
    if let duration = Duration(text: text) {
        require(Duration(text: duration.text) == duration, "a duration is read as it is written")
    }
    if let time = Timestamp(rfc3339: text) {
        require(Timestamp(rfc3339: time.description) == time, "a time is read as it is written")
    }
    if let time = CELTimestamp(rfc3339: text) {
        require(CELTimestamp(rfc3339: time.description) == time, "a time of an expression is read as it is written")
    }
    if let duration = CELDuration(text: text) {
        require(CELDuration(text: duration.description) == duration, "a duration of an expression comes back")
    }
    if let pointer = Address(text) {
        require(Address(pointer.description) == pointer, "an address is read as it is written")
    }
    guard let zone = ZoneFile(tzif: bytes) else { return }
    var time: Int64 = -3_000_000_000
    for _ in 0..<20 where time < 300_000_000_000 {
        let span = zone.span(at: time)
        require(span.start <= time && span.end > time, "a stretch holds the time it was asked for")
        require(span.offset == zone.offsetSeconds(at: time), "a stretch has the offset of its times")
        time = span.end
    }
}

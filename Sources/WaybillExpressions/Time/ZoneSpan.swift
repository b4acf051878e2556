/// A stretch of time in which the clocks of a zone keep one offset, in seconds since 1970.
package struct ZoneSpan: Hashable, Sendable {
    /// Before all years there are, if no change came before.
    package var start: Int64
    /// The first second that has another offset; after all years there are, if none follows.
    package var end: Int64
    /// Seconds east of UTC.
    package var offset: Int
    /// What held before `start`; the same where no change came before.
    package var previousOffset: Int

    /// Far outside the years 1 to 9999, and far from where sums overflow.
    static let bounds: ClosedRange<Int64> = -(1 << 50)...(1 << 50)
}

extension ZoneFile {
    /// The stretch that a moment lies in. Changes of the name alone are none.
    package func span(at time: Int64) -> ZoneSpan {
        let offset = offsetSeconds(at: time)
        let start = change(atOrBefore: time)
        return ZoneSpan(
            start: start ?? ZoneSpan.bounds.lowerBound, end: change(after: time) ?? ZoneSpan.bounds.upperBound,
            offset: offset, previousOffset: start.map { offsetSeconds(at: $0 - 1) } ?? offset)
    }

    private func change(after time: Int64) -> Int64? {
        for index in firstTransition(after: time)..<transitions.count where isChange(transitions[index].start) {
            return transitions[index].start
        }
        guard let footer else { return nil }
        let listed = transitions.last?.start ?? ZoneSpan.bounds.lowerBound
        return footer.candidates(around: max(time, listed)).first { $0 > max(time, listed) && isChange($0) }
    }

    private func change(atOrBefore time: Int64) -> Int64? {
        let listed = transitions.last?.start ?? ZoneSpan.bounds.lowerBound
        if let footer, time > listed {
            let candidates = footer.candidates(around: time)
            if let found = candidates.last(where: { $0 > listed && $0 <= time && isChange($0) }) { return found }
        }
        var index = firstTransition(after: time)
        while index > 0 {
            index -= 1
            if isChange(transitions[index].start) { return transitions[index].start }
        }
        return nil
    }

    private func isChange(_ time: Int64) -> Bool { offsetSeconds(at: time) != offsetSeconds(at: time - 1) }
}

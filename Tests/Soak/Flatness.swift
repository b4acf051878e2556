import WaybillCore

/// Whether what should stay as it is did: the second fifth of the time beside the last one.
struct Flatness {
    /// A fifth of fewer says nothing.
    static let fewestSamples = 30
    /// How much more the last fifth may be: a share, and what a few of anything are.
    private static let allowedShare = 0.1
    /// What a run that has ended may leave in the daemon's memory: its place in the journal's index, which knows every id
    /// that was ever used, with those of the runs that it called and of its events.
    private static let allowedBytesPerEnded = 1_024.0
    /// Answers share processors and disk with whatever else the machine does, also in a quiet sample.
    private static let allowedLatencyShare = 0.5
    private static let allowedLatency = 1.0
    /// The share of the runs that is to be in flight at most samples; the others are just being replaced.
    private static let leastInFlight = 0.98

    struct Finding {
        var name: String
        var unit: String
        var second: Double
        var last: Double
        /// Nil where it is told and not judged.
        var most: Double?

        var isFlat: Bool { most.map { last <= $0 } ?? true }

        var line: String {
            let figures = "\(Text.number(second, decimals: 2)) -> \(Text.number(last, decimals: 2)) \(unit)"
            return "  \(name): \(figures)" + (most.map { ", at most \(Text.number($0, decimals: 2))" } ?? "")
        }
    }

    let findings: [Finding]
    let isJudged: Bool
    /// What a run that has ended leaves in the daemon's memory, and in the journal.
    private(set) var residentBytesPerEnded: Double?
    private(set) var journalBytesPerEnded: Double?
    private let inFlight: (fewest: Int, median: Int)
    private let runs: Int

    init(_ samples: [Sample], runs: Int) {
        self.runs = runs
        isJudged = samples.count >= Self.fewestSamples
        let counts = samples.map { Double($0.inFlight) }
        inFlight = (Int(counts.min() ?? 0), Int(Statistics.median(counts) ?? 0))
        let fifth = samples.count / 5
        let second = Array(samples.dropFirst(fifth).prefix(fifth))
        let last = Array(samples.suffix(fifth))
        func finding(_ name: String, _ unit: String, margin: Double, _ figure: (Sample) -> Double) -> Finding {
            let (before, after) = (Self.middle(second, figure), Self.middle(last, figure))
            return Finding(
                name: name, unit: unit, second: before, last: after,
                most: before * (1 + Self.allowedShare) + margin)
        }
        func latency(_ name: String, _ percent: Int) -> Finding {
            func figure(_ part: [Sample]) -> Double {
                (Statistics.percentile(percent, of: part.flatMap(\.latencies)) ?? 0) * 1e3
            }
            return Finding(name: name, unit: "ms", second: figure(second), last: figure(last), most: nil)
        }
        let quiet = (Self.quietMedian(second), Self.quietMedian(last))
        let more = Self.middle(last) { Double($0.ended) } - Self.middle(second) { Double($0.ended) }
        findings = [
            finding(
                "resident memory", "MiB", margin: more * Self.allowedBytesPerEnded / 1_048_576, \.residentMebibytes),
            finding("open files", "", margin: 4) { Double($0.look.descriptors) },
            finding("threads", "", margin: 2) { Double($0.look.threads) },
            Finding(
                name: "answer to TASK_START, median of a quiet sample", unit: "ms", second: quiet.0, last: quiet.1,
                most: quiet.0 * (1 + Self.allowedLatencyShare) + Self.allowedLatency),
            latency("answer to TASK_START, median of all", 50),
            latency("answer to TASK_START, 99th percentile of all", 99),
            Finding(
                name: "processor time per ended run", unit: "ms", second: Self.processor(second),
                last: Self.processor(last), most: nil),
        ]
        guard more > 0 else { return }
        func each(_ figure: (Sample) -> Double) -> Double {
            (Self.middle(last, figure) - Self.middle(second, figure)) / more
        }
        residentBytesPerEnded = each { Double($0.look.residentBytes) }
        journalBytesPerEnded = each { Double($0.journalBytes) }
    }

    private static func middle(_ part: [Sample], _ figure: (Sample) -> Double) -> Double {
        Statistics.median(part.map(figure)) ?? 0
    }

    /// The median that a quarter of the samples stays below: what the daemon itself makes slower is slower in all of them,
    /// and what others do to the machine in some.
    private static func quietMedian(_ part: [Sample]) -> Double {
        Statistics.percentile(25, of: part.compactMap(\.medianMilliseconds)) ?? 0
    }

    private static func processor(_ part: [Sample]) -> Double {
        let ended = part.reduce(0) { $0 + $1.endedPerSecond }
        return ended > 0 ? part.reduce(0) { $0 + $1.processor } / ended * 10 : 0
    }

    var lines: [String] {
        var lines = ["the second fifth of the time -> the last one:"] + findings.map(\.line)
        if let residentBytesPerEnded, let journalBytesPerEnded {
            lines.append(
                "  a run that has ended leaves \(Text.fixed(residentBytesPerEnded, decimals: 0)) bytes of resident memory,"
                    + " and \(Text.fixed(journalBytesPerEnded, decimals: 0)) of the journal with those that it called")
        }
        return lines + ["  in flight: \(inFlight.median) of \(runs) in the middle, \(inFlight.fewest) at least"]
    }

    /// What does not hold; nothing where there was too little time to tell.
    var problems: [String] {
        guard isJudged else { return [] }
        var problems = findings.filter { !$0.isFlat }.map { "not flat:\($0.line)" }
        if Double(inFlight.median) < Double(runs) * Self.leastInFlight {
            problems.append("only \(inFlight.median) of \(runs) runs were in flight")
        }
        return problems
    }

    var value: Value {
        .list(
            findings.map { finding in
                [
                    "name": .string(finding.name), "unit": .string(finding.unit), "second": .double(finding.second),
                    "last": .double(finding.last), "most": finding.most.map { .double($0) } ?? .null,
                ]
            })
    }
}

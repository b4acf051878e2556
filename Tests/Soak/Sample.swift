import WaybillCore

/// What a few seconds showed.
struct Sample {
    /// Seconds from the moment at which all runs were in flight.
    var at: Double
    var inFlight: Int
    /// Runs that have ended since the beginning.
    var ended: Int
    var endedPerSecond: Double
    var look: Probe.Look
    /// Of one processor, in percent: what the daemon used, this program, and everything on the machine.
    var processor: Double
    var ownProcessor: Double
    var machineProcessor: Double
    var journalBytes: Int
    /// Seconds from an answer's rename until the start of the next step could be read in the ledger.
    var latencies: [Double]

    var residentMebibytes: Double { Double(look.residentBytes) / 1_048_576 }
    var medianMilliseconds: Double? { Statistics.median(latencies).map { $0 * 1e3 } }
    var rareMilliseconds: Double? { Statistics.percentile(99, of: latencies).map { $0 * 1e3 } }

    var value: Value {
        func rounded(_ number: Double?) -> Value {
            number.map { .double(($0 * 1_000).rounded() / 1_000) } ?? .null
        }
        return [
            "seconds": rounded(at), "inFlight": .int(Int64(inFlight)), "ended": .int(Int64(ended)),
            "endedPerSecond": rounded(endedPerSecond), "residentBytes": .int(Int64(look.residentBytes)),
            "anonymousBytes": .int(Int64(look.anonymousBytes)), "descriptors": .int(Int64(look.descriptors)),
            "threads": .int(Int64(look.threads)), "processorPercent": rounded(processor),
            "ownProcessorPercent": rounded(ownProcessor), "machineProcessorPercent": rounded(machineProcessor),
            "supervisors": .int(Int64(look.supervisors)),
            "monitors": .int(Int64(look.monitors)), "journalBytes": .int(Int64(journalBytes)),
            "answers": .int(Int64(latencies.count)), "medianMilliseconds": rounded(medianMilliseconds),
            "p99Milliseconds": rounded(rareMilliseconds),
        ]
    }

    // MARK: - The table

    private static let columns: [(title: String, width: Int)] = [
        ("s", 5), ("in flight", 10), ("ended", 7), ("/s", 6), ("MiB", 7), ("anon", 7), ("files", 6), ("threads", 8),
        ("cpu %", 6), ("monitors", 9), ("answers", 8), ("median ms", 10), ("p99 ms", 8), ("own cpu %", 10),
        ("all cpu %", 10),
    ]

    static var head: String { columns.map { Text.padded($0.title, to: $0.width) }.joined() }

    var row: String {
        let cells = [
            Text.fixed(at, decimals: 0), String(inFlight), String(ended), Text.fixed(endedPerSecond, decimals: 1),
            Text.fixed(residentMebibytes, decimals: 1),
            Text.fixed(Double(look.anonymousBytes) / 1_048_576, decimals: 1), String(look.descriptors),
            String(look.threads), Text.fixed(processor, decimals: 0), String(look.monitors), String(latencies.count),
            medianMilliseconds.map { Text.fixed($0, decimals: 2) } ?? "-",
            rareMilliseconds.map { Text.fixed($0, decimals: 1) } ?? "-", Text.fixed(ownProcessor, decimals: 0),
            Text.fixed(machineProcessor, decimals: 0),
        ]
        return zip(cells, Self.columns).map { Text.padded($0, to: $1.width) }.joined()
    }
}

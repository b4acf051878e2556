extension Plot {
    private static let blue = "#0969da"
    private static let orange = "#bc4c00"

    /// What is to be flat, over time.
    static func soak(_ samples: [Sample], runs: Int) -> Plot {
        func one(_ title: String, _ figure: (Sample) -> Double) -> Panel {
            Panel(title: title, series: [Series(name: title, colour: blue, figures: samples.map(figure))])
        }
        let seconds = samples.last?.at ?? 0
        let time = seconds < 120 ? "\(Int(seconds.rounded())) seconds" : "\(Int((seconds / 60).rounded())) minutes"
        return Plot(
            title: "A waybill daemon with \(Text.count(runs)) runs in flight for \(time)", times: samples.map(\.at),
            panels: [
                one("runs in flight") { Double($0.inFlight) },
                one("runs that ended, per second", \.endedPerSecond),
                one("resident memory, MiB", \.residentMebibytes),
                one("open files") { Double($0.look.descriptors) },
                Panel(
                    title: "from an answer to the next step in the ledger, ms", isLogarithmic: true,
                    series: [
                        Series(name: "median", colour: blue, figures: samples.map(\.medianMilliseconds)),
                        Series(name: "99th percentile", colour: orange, figures: samples.map(\.rareMilliseconds)),
                    ]),
            ])
    }
}

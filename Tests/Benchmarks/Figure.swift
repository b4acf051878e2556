import WaybillCore

/// Seconds since it was made.
struct Stopwatch {
    private let start = ContinuousClock.now

    var seconds: Double { (ContinuousClock.now - start) / .seconds(1) }
}

/// One figure: its samples, beside those of a raw baseline.
struct Figure {
    /// What the bare machine, or a smaller case, does.
    struct Baseline {
        var name: String
        var samples: [Double]
    }

    /// What the ratio must keep, or the median where there is no baseline.
    enum Bar {
        case atLeast(Double)
        case atMost(Double)

        func isMet(by value: Double) -> Bool {
            switch self {
            case .atLeast(let least): value >= least
            case .atMost(let most): value <= most
            }
        }

        var text: String {
            switch self {
            case .atLeast(let least): "≥ \(Text.number(least))"
            case .atMost(let most): "≤ \(Text.number(most))"
            }
        }
    }

    var name: String
    /// Of the samples and of the baseline's.
    var unit: String
    var samples: [Double]
    var baseline: Baseline?
    var bar: Bar?
    /// Samples of one round belong together, so that what else the machine does hits both; else medians are compared.
    var isPaired = true

    var median: Double { Self.percentile(50, of: samples) }
    var baselineMedian: Double? { baseline.map { Self.percentile(50, of: $0.samples) } }

    /// Measured over baseline: of a rate the share that is reached, of a time or size how many times it is.
    var ratio: Double? {
        guard let baseline, let middle = baselineMedian else { return nil }
        guard isPaired, baseline.samples.count == samples.count else { return middle == 0 ? nil : median / middle }
        return Self.percentile(50, of: zip(samples, baseline.samples).map { $1 == 0 ? 0 : $0 / $1 })
    }

    var isMet: Bool? { bar.map { $0.isMet(by: ratio ?? median) } }

    /// The nearest rank; 0 of nothing.
    static func percentile(_ percent: Int, of samples: [Double]) -> Double {
        guard !samples.isEmpty else { return 0 }
        let sorted = samples.sorted()
        if percent == 50, sorted.count.isMultiple(of: 2) {
            return (sorted[sorted.count / 2 - 1] + sorted[sorted.count / 2]) / 2
        }
        return sorted[min(sorted.count - 1, sorted.count * percent / 100)]
    }

    var value: Value {
        var object: Object = [
            "name": .string(name), "unit": .string(unit), "median": .double(median),
            "p10": .double(Self.percentile(10, of: samples)), "p90": .double(Self.percentile(90, of: samples)),
            "p99": .double(Self.percentile(99, of: samples)), "samples": .list(samples.map { .double($0) }),
        ]
        if let baseline {
            object["baseline"] = [
                "name": .string(baseline.name), "median": .double(baselineMedian ?? 0),
                "samples": .list(baseline.samples.map { .double($0) }),
            ]
        }
        if let ratio { object["ratio"] = .double(ratio) }
        if let bar, let isMet { object["bar"] = ["value": .string(bar.text), "met": .bool(isMet)] }
        return .object(object)
    }
}

/// Figures as people read them.
enum Table {
    static func text(_ title: String, _ figures: [Figure]) -> String {
        var rows = [["\(title)", "measured", "spread", "baseline", "", "ratio", "bar"]]
        for figure in figures {
            let low = Figure.percentile(10, of: figure.samples)
            let high = Figure.percentile(90, of: figure.samples)
            let spread = figure.samples.count > 1 ? "\(Text.number(low))–\(Text.number(high))" : ""
            rows.append([
                "  " + figure.name, "\(Text.number(figure.median)) \(figure.unit)", spread,
                figure.baselineMedian.map { Text.number($0) } ?? "", figure.baseline?.name ?? "",
                figure.ratio.map { Text.number($0) } ?? "", verdict(figure),
            ])
        }
        if figures.allSatisfy({ $0.bar == nil }) { rows = rows.map { $0.dropLast() } }
        let widths = rows[0].indices.map { column in rows.map { $0[column].count }.max() ?? 0 }
        return rows.map { row in
            let cells = row.enumerated().map { column, cell in
                let space = String(repeating: " ", count: widths[column] - cell.count)
                return column == 0 || column == 4 ? cell + space : space + cell
            }
            return cells.joined(separator: "  ") + "\n"
        }.joined()
    }

    private static func verdict(_ figure: Figure) -> String {
        guard let bar = figure.bar, let isMet = figure.isMet else { return "" }
        return "\(bar.text) \(isMet ? "met" : "missed")"
    }
}

enum Text {
    static func count(_ value: Int) -> String { grouped(String(value)) }

    /// Digits in groups of three.
    private static func grouped(_ digits: String) -> String {
        var text = ""
        for (index, digit) in digits.enumerated() {
            if index > 0, (digits.count - index).isMultiple(of: 3) { text.append(",") }
            text.append(digit)
        }
        return text
    }

    /// Three digits that count, or all those before the point, in groups.
    static func number(_ value: Double) -> String {
        let decimals = value.magnitude >= 100 ? 0 : value.magnitude >= 10 ? 1 : value.magnitude >= 1 ? 2 : 3
        var scale = 1.0
        for _ in 0..<decimals { scale *= 10 }
        let rounded = Int((value.magnitude * scale).rounded())
        let whole = grouped(String(rounded / Int(scale)))
        let sign = value < 0 && rounded > 0 ? "-" : ""
        guard decimals > 0 else { return sign + whole }
        let fraction = String(rounded % Int(scale))
        return sign + whole + "." + String(repeating: "0", count: decimals - fraction.count) + fraction
    }
}

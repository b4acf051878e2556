/// What a list of figures comes to.
enum Statistics {
    /// The nearest rank; nil of nothing.
    static func percentile(_ percent: Int, of figures: [Double]) -> Double? {
        guard !figures.isEmpty else { return nil }
        let sorted = figures.sorted()
        return sorted[min(sorted.count - 1, sorted.count * percent / 100)]
    }

    static func median(_ figures: [Double]) -> Double? { percentile(50, of: figures) }
}

enum Text {
    /// Digits in groups of three.
    static func count(_ number: Int) -> String {
        let digits = String(number.magnitude)
        var text = ""
        for (index, digit) in digits.enumerated() {
            if index > 0, (digits.count - index).isMultiple(of: 3) { text.append(",") }
            text.append(digit)
        }
        return (number < 0 ? "-" : "") + text
    }

    /// With so many decimals at most, and no noughts at the end of them.
    static func number(_ number: Double, decimals: Int = 3) -> String {
        var text = fixed(number, decimals: decimals)
        guard text.contains(".") else { return text }
        while text.hasSuffix("0") { text.removeLast() }
        if text.hasSuffix(".") { text.removeLast() }
        return text == "-0" ? "0" : text
    }

    /// With exactly so many decimals.
    static func fixed(_ number: Double, decimals: Int) -> String {
        var scale = 1.0
        for _ in 0..<decimals { scale *= 10 }
        let scaled = Int((number.magnitude * scale).rounded())
        let whole = "\(number < 0 && scaled > 0 ? "-" : "")\(scaled / Int(scale))"
        guard decimals > 0 else { return whole }
        let fraction = String(scaled % Int(scale))
        return whole + "." + String(repeating: "0", count: decimals - fraction.count) + fraction
    }

    static func padded(_ text: String, to width: Int) -> String {
        String(repeating: " ", count: max(0, width - text.count)) + text
    }
}

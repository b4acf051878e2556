import Glibc

/// The scale of an axis, with round ticks, the first of which is where it begins and the last where it ends.
struct Scale {
    let ticks: [Double]
    private let isLogarithmic: Bool

    private var begin: Double { ticks.first ?? 0 }
    private var end: Double { ticks.last ?? 1 }

    /// A straight one, from 0 on.
    ///
    /// - Parameters:
    ///   - most: the largest figure that it must hold.
    ///   - count: about how many steps there should be.
    init(holding most: Double, steps count: Int) {
        let most = most > 0 && most.isFinite ? most : 1
        let step = Self.roundStep(atLeast: most / Double(max(count, 1)))
        var number = 0
        var ticks: [Double] = [0]
        while ticks[number] < most * (1 - 1e-9) {
            number += 1
            ticks.append(Double(number) * step)
        }
        self.ticks = ticks
        isLogarithmic = false
    }

    /// A logarithmic one, whose ticks are powers of ten.
    init(decadesFrom least: Double, to most: Double) {
        let least = least > 0 && least.isFinite ? least : 1
        let most = most > least && most.isFinite ? most : least
        let first = log10(least).rounded(.down)
        let last = max(log10(most).rounded(.up), first + 1)
        ticks = (Int(first)...Int(last)).map { pow(10, Double($0)) }
        isLogarithmic = true
    }

    /// The smallest of 1, 2, 5, 10, 20, 50, ... and their parts that is no smaller.
    static func roundStep(atLeast least: Double) -> Double {
        var unit = 1.0
        while unit > least { unit /= 10 }
        while unit * 10 <= least { unit *= 10 }
        for factor in [1.0, 2, 5] where unit * factor >= least * (1 - 1e-9) { return unit * factor }
        return unit * 10
    }

    /// Where a figure lies, between 0 and 1.
    func position(of figure: Double) -> Double {
        guard isLogarithmic else { return figure / end }
        return log10(max(figure, begin) / begin) / log10(end / begin)
    }
}

/// Panels over one axis of time, as SVG (SVG 1.1, W3C Recommendation).
struct Plot {
    struct Series {
        let name: String
        let colour: String
        /// Nil where there was nothing to measure: the line has a gap there.
        let figures: [Double?]
    }

    struct Panel {
        let title: String
        /// Where the largest figures are many times the usual ones.
        var isLogarithmic = false
        let series: [Series]

        var scale: Scale {
            let figures = series.flatMap { $0.figures.compactMap { $0 } }
            return isLogarithmic
                ? Scale(decadesFrom: figures.min() ?? 1, to: figures.max() ?? 1)
                : Scale(holding: figures.max() ?? 0, steps: Plot.steps)
        }
    }

    let title: String
    /// Seconds, of each figure of every series.
    let times: [Double]
    let panels: [Panel]

    private static let width = 860.0
    private static let left = 64.0
    private static let right = 20.0
    private static let top = 44.0
    private static let panelHeight = 104.0
    private static let panelGap = 40.0
    private static let bottom = 44.0
    private static let steps = 4

    private var height: Double {
        Self.top + Double(panels.count) * (Self.panelHeight + Self.panelGap) + Self.bottom - 12
    }

    var text: String {
        // Told in minutes where there are some.
        let seconds = times.last ?? 1
        let unit = seconds >= 120 ? 60.0 : 1
        let axis = Scale(holding: seconds.rounded() / unit, steps: 10)
        var parts = [
            """
            <svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 \(Self.number(Self.width)) \(Self.number(height))" \
            font-family="sans-serif" font-size="12" role="img">
            <title>\(Self.escaped(title))</title>
            <rect width="100%" height="100%" fill="#ffffff"/>
            <text x="\(Self.number(Self.left))" y="22" font-size="14" fill="#1f2328">\(Self.escaped(title))</text>
            """
        ]
        for (index, panel) in panels.enumerated() {
            let y = Self.top + 20 + Double(index) * (Self.panelHeight + Self.panelGap)
            parts += draw(panel, y: y, axis: axis, unit: unit, hasTimes: index == panels.count - 1)
        }
        let name = unit == 60 ? "minutes" : "seconds"
        parts.append(
            Self.label(name, x: Self.width - Self.right, y: height - 12, anchor: "end", colour: "#57606a"))
        return parts.joined(separator: "\n") + "\n</svg>\n"
    }

    private func draw(_ panel: Panel, y: Double, axis: Scale, unit: Double, hasTimes: Bool) -> [String] {
        let scale = panel.scale
        let bottom = y + Self.panelHeight
        let far = Self.width - Self.right
        var parts = [Self.label(panel.title, x: Self.left, y: y - 8, colour: "#1f2328")]
        var x = far
        if panel.series.count > 1 {
            for series in panel.series.reversed() {
                parts.append(Self.label(series.name, x: x, y: y - 8, anchor: "end", colour: series.colour))
                x -= Double(series.name.count) * 7 + 16
            }
        }
        for tick in scale.ticks {
            let line = bottom - scale.position(of: tick) * Self.panelHeight
            parts.append(Self.line(Self.left, line, far, line, colour: line == bottom ? "#57606a" : "#d8dee4"))
            let text = Text.number(tick, decimals: 6)
            parts.append(Self.label(text, x: Self.left - 8, y: line + 4, anchor: "end", colour: "#57606a"))
        }
        for tick in axis.ticks {
            let place = Self.left + axis.position(of: tick) * (far - Self.left)
            parts.append(Self.line(place, bottom, place, bottom + 5, colour: "#57606a"))
            guard hasTimes else { continue }
            let text = Text.number(tick)
            parts.append(Self.label(text, x: place, y: bottom + 20, anchor: "middle", colour: "#57606a"))
        }
        return parts
            + panel.series.flatMap { series in
                stretches(of: series).map { points in
                    let places = points.map { point in
                        let x = Self.left + min(axis.position(of: point.time / unit), 1) * (far - Self.left)
                        let y = bottom - scale.position(of: point.figure) * Self.panelHeight
                        return "\(Self.number(x)),\(Self.number(y))"
                    }
                    return #"<polyline fill="none" stroke="\#(series.colour)" stroke-width="1.5" points=""#
                        + "\(places.joined(separator: " "))\"/>"
                }
            }
    }

    /// What of a series has no gap.
    private func stretches(of series: Series) -> [[(time: Double, figure: Double)]] {
        var stretches: [[(time: Double, figure: Double)]] = [[]]
        for (time, figure) in zip(times, series.figures) {
            if let figure {
                stretches[stretches.count - 1].append((time, figure))
            } else if stretches.last?.isEmpty == false {
                stretches.append([])
            }
        }
        return stretches.filter { !$0.isEmpty }
    }

    // MARK: - Pieces

    private static func number(_ value: Double) -> String { Text.number(value, decimals: 1) }

    private static func line(_ x1: Double, _ y1: Double, _ x2: Double, _ y2: Double, colour: String) -> String {
        #"<path stroke="\#(colour)" d="M\#(number(x1)) \#(number(y1))L\#(number(x2)) \#(number(y2))"/>"#
    }

    private static func label(
        _ text: String, x: Double, y: Double, anchor: String = "start", colour: String
    ) -> String {
        let place = #"<text x="\#(number(x))" y="\#(number(y))" text-anchor="\#(anchor)" fill="\#(colour)">"#
        return place + escaped(text) + "</text>"
    }

    /// Text of an element (XML 1.0, section 2.4).
    static func escaped(_ text: String) -> String {
        var escaped = ""
        for character in text {
            switch character {
            case "&": escaped += "&amp;"
            case "<": escaped += "&lt;"
            case ">": escaped += "&gt;"
            default: escaped.append(character)
            }
        }
        return escaped
    }
}

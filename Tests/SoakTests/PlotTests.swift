import Testing

@testable import soak

@Suite("The plot")
struct PlotTests {
    @Test("a line has a gap where nothing was measured")
    func gaps() {
        let series = Plot.Series(name: "a", colour: "#000000", figures: [1, 2, nil, 3, nil, nil])
        let plot = Plot(title: "t", times: [1, 2, 3, 4, 5, 6], panels: [.init(title: "p", series: [series])])
        #expect(plot.text.split(separator: "<polyline").count == 3)
    }

    @Test("a title may hold anything")
    func escapes() {
        let plot = Plot(title: "a < b & c", times: [1], panels: [])
        #expect(plot.text.contains("<title>a &lt; b &amp; c</title>"))
    }

    @Test("numbers have no more digits than they need")
    func numbers() {
        #expect(Text.number(0.5) == "0.5")
        #expect(Text.number(20) == "20")
        #expect(Text.number(-0.0001) == "0")
        #expect(Text.fixed(1.25, decimals: 1) == "1.3")
        #expect(Text.fixed(-2, decimals: 2) == "-2.00")
        #expect(Text.count(1_234_567) == "1,234,567")
    }
}

import Testing

@testable import soak

@Suite("The scale of a plot")
struct ScaleTests {
    @Test(
        "a step is the next of 1, 2 and 5, at any size",
        arguments: [
            (0.07, 0.1), (0.1, 0.1), (0.3, 0.5), (1, 1), (1.1, 2), (2.5, 5), (6, 10), (250, 500), (1_001, 2_000),
        ]
    )
    func steps(least: Double, step: Double) {
        #expect(abs(Scale.roundStep(atLeast: least) - step) < 1e-9)
    }

    @Test("ticks begin at 0 and end at the first that holds everything")
    func ticks() {
        #expect(Scale(holding: 998, steps: 4).ticks == [0, 500, 1_000])
        #expect(Scale(holding: 1_000, steps: 4).ticks == [0, 500, 1_000])
        #expect(Scale(holding: 34, steps: 4).ticks == [0, 10, 20, 30, 40])
        #expect(Scale(holding: 10, steps: 10).ticks.count == 11)
    }

    @Test("nothing to show gives a scale all the same", arguments: [0, -1, Double.infinity, .nan])
    func nothing(most: Double) {
        #expect(Scale(holding: most, steps: 4).ticks.last == 1)
    }

    @Test("powers of ten hold figures that are many times others, one of them at least")
    func decades() {
        let scale = Scale(decadesFrom: 2, to: 300)
        #expect(scale.ticks == [1, 10, 100, 1_000])
        #expect(abs(scale.position(of: 10) - 1 / 3.0) < 1e-9)
        #expect(scale.position(of: 0.1) == 0)
        #expect(Scale(decadesFrom: 0.3, to: 0.3).ticks.count == 2)
        #expect(Scale(decadesFrom: 0, to: 0).ticks == [1, 10])
    }

    @Test("a figure lies between the ends by its share")
    func position() {
        #expect(Scale(holding: 1_000, steps: 4).position(of: 250) == 0.25)
    }
}

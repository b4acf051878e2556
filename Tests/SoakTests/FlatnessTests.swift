import Testing

@testable import soak

@Suite("The verdict on flatness")
struct FlatnessTests {
    /// So many samples, of which the first fifth may be anything.
    private func samples(
        _ count: Int = 50, mebibytes: (Int) -> Double = { _ in 40 }, descriptors: (Int) -> Int = { _ in 30 },
        milliseconds: (Int) -> Double = { _ in 2 }, inFlight: Int = 100
    ) -> [Sample] {
        (0..<count).map { number in
            Sample(
                at: Double(number), inFlight: inFlight, ended: number * 10, endedPerSecond: 10,
                look: .init(
                    residentBytes: Int(mebibytes(number) * 1_048_576), anonymousBytes: 0,
                    descriptors: descriptors(number), threads: 9, processorSeconds: 0, machineSeconds: 0,
                    supervisors: 1, monitors: 2),
                processor: 20, ownProcessor: 1, machineProcessor: 40, journalBytes: number * 5_000,
                latencies: [milliseconds(number) / 1e3])
        }
    }

    @Test("what stays as it is is flat, and so is a start that is not")
    func flat() {
        #expect(Flatness(samples(), runs: 100).problems == [])
        #expect(Flatness(samples(mebibytes: { $0 < 10 ? 90 : 40 }), runs: 100).problems == [])
    }

    @Test("memory, open files and latency that grow are named")
    func growing() {
        #expect(Flatness(samples(mebibytes: { 40 + Double($0) / 4 }), runs: 100).problems.count == 1)
        #expect(Flatness(samples(descriptors: { 30 + $0 }), runs: 100).problems.count == 1)
        #expect(Flatness(samples(milliseconds: { 2 + Double($0) / 5 }), runs: 100).problems.count == 1)
    }

    @Test("latency that only some samples have is the machine's")
    func busyMachine() {
        #expect(
            Flatness(samples(milliseconds: { $0 > 40 && $0.isMultiple(of: 2) ? 500 : 2 }), runs: 100).problems == [])
    }

    @Test("what the journal's index needs for each run that has ended is no growth")
    func index() {
        let perEnded = 1_000.0 / 1_048_576
        #expect(Flatness(samples(mebibytes: { 1 + Double($0 * 10) * perEnded }), runs: 100).problems == [])
        #expect(Flatness(samples(mebibytes: { 1 + Double($0 * 20) * perEnded }), runs: 100).problems.count == 1)
    }

    @Test("too few runs in flight are named")
    func tooFew() {
        #expect(Flatness(samples(inFlight: 90), runs: 100).problems == ["only 90 of 100 runs were in flight"])
    }

    @Test("a short time is not judged")
    func short() {
        let flatness = Flatness(samples(29, mebibytes: { Double($0 + 1) }), runs: 100)
        #expect(!flatness.isJudged)
        #expect(flatness.problems == [])
    }

    @Test("what a run that has ended leaves is told in bytes")
    func bytes() {
        let flatness = Flatness(samples(mebibytes: { 40 + Double($0) / 1_048_576 * 200 }), runs: 100)
        #expect(flatness.journalBytesPerEnded == 500)
        #expect(flatness.residentBytesPerEnded.map { ($0 / 10).rounded() } == 2)
    }
}

import Foundation
import Testing

/// The small form of `make soak`: the same program, too short for a verdict on what is flat.
@Suite("Runs that are held in flight")
struct SoakTests {
    @Test("none fails and none is lost, and what was seen is plotted")
    func small() async throws {
        let tree = try ScratchTree()
        let soak = Waybill.binary.deletingLastPathComponent().appending(path: "soak")
        let (svg, json) = (tree["soak.svg"], tree["soak.json"])
        let finished = try await RunningCommand(
            soak,
            [
                "--runs", "20", "--seconds", "5", "--every", "1", "--life", "4", "--seed", "1",
                "--directory", tree.root.path(), "--waybill", Waybill.binary.path(),
                "--svg", svg.path(), "--json", json.path(),
            ], in: tree.root, outputs: tree[".outputs/soak"]
        ).finish(limit: 600)
        #expect(finished.status == 0 && !finished.signalled, "\(finished)")
        #expect(finished.lines.last?.hasPrefix("ok: ") == true, "\(finished)")
        #expect(finished.lines.contains("again: soak --runs 20 --seconds 5 --life 4 --every 1 --seed 1"))

        let report = try #require(try JSONSerialization.jsonObject(with: Data(contentsOf: json)) as? [String: Any])
        let samples = try #require(report["samples"] as? [[String: Any]])
        #expect(samples.count == 5)
        #expect(samples.allSatisfy { ($0["residentBytes"] as? Int ?? 0) > 0 && ($0["descriptors"] as? Int ?? 0) > 0 })
        #expect(report["judged"] as? Bool == false)
        #expect((report["problems"] as? [String])?.isEmpty == true)
        let plot = try String(contentsOf: svg, encoding: .utf8)
        #expect(plot.utf8.count < 40_000)
        #expect(plot.split(separator: "<polyline").count > 5)
        #expect(isWellFormed(plot))
    }

    /// Whether elements are nested as they must be, and nothing is written that XML reserves.
    private func isWellFormed(_ text: String) -> Bool {
        var open: [Substring] = []
        var elements = 0
        for tag in text.matches(of: /<(\/?)([a-z]+)((?: [a-zA-Z-]+="[^"<&]*")*)\s*(\/?)>/) {
            elements += 1
            if !tag.1.isEmpty {
                guard open.popLast() == tag.2 else { return false }
            } else if tag.4.isEmpty {
                open.append(tag.2)
            }
        }
        let isAllRead = text.split(separator: "<").count == elements
        let reserved = text.matches(of: /&(?!(?:amp|lt|gt);)/)
        return open.isEmpty && isAllRead && reserved.isEmpty
    }
}

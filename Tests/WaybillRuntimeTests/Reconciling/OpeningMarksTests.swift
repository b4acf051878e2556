import SystemPackage
import Testing
import WaybillCore
import WaybillPorts
import WaybillTestKit

@testable import WaybillRuntime

@Suite("Marks of what a process opens")
struct OpeningMarksTests {
    private let system = MemoryFileSystem()

    /// A process that begins, and is killed after it has entered some runs; those it left were opened.
    private func live(entering: [String], leaving: [String] = []) throws -> OpeningMarks {
        let marks = OpeningMarks(in: try root())
        marks.begin()
        for name in entering { if let run = RunID(name) { marks.enter(run) } }
        for name in leaving { if let run = RunID(name) { marks.leave(run) } }
        return marks
    }

    private func root() throws -> any Directory { try #require(try system.openDirectory("/")) }

    /// Its files stay, its locks go.
    private func die() { system.crash { _ in .kept } }

    private func names(_ runs: Set<RunID>) -> [String] { runs.map(\.text).sorted() }

    @Test("runs that a killed process had in hand are suspects, and one that is opened no longer is")
    func suspects() throws {
        _ = try live(entering: ["a", "b", "c"], leaving: ["b"])
        die()
        let next = try live(entering: ["a"], leaving: ["a"])
        #expect(names(next.suspects) == ["c"])
        die()
        #expect(names(try live(entering: []).suspects) == ["c"])
    }

    @Test(
        "a run is set aside after twenty processes in a row have ended with it, and tried again when its file is removed"
    )
    func setAside() throws {
        let run = try #require(RunID("p"))
        for death in 1...20 {
            let marks = try live(entering: ["p"])
            #expect(marks.reason(for: run) == nil, "before death \(death)")
            die()
        }
        let marks = try live(entering: [])
        #expect(marks.reason(for: run) == "20 processes ended while they opened it")
        #expect(marks.suspects.isEmpty)
        #expect(!marks.isReleased(run))
        _ = try root().remove("aside/p.json")
        #expect(marks.isReleased(run))
        #expect(marks.reason(for: run) == nil)
    }

    @Test("a success in between begins the count anew, and a graceful end leaves nothing")
    func success() throws {
        let run = try #require(RunID("p"))
        for _ in 1...4 {
            _ = try live(entering: ["p"])
            die()
        }
        let good = try live(entering: ["p"], leaving: ["p"])
        good.enter(run)
        good.end()
        let marks = try live(entering: [])
        #expect(marks.suspects.isEmpty)
        #expect(OpeningMarks.recorded(in: try root()).isEmpty)
    }

    @Test("what is under way in a process that lives is nobody's to judge")
    func living() throws {
        let marks = try live(entering: ["a"])
        let beside = try live(entering: ["b"])
        #expect(beside.suspects.isEmpty)
        marks.end()
        beside.end()
    }

    @Test("a run that fails for a reason of its own is set aside with that reason, across processes")
    func failing() throws {
        let run = try #require(RunID("p"))
        try live(entering: []).setAside(run, because: "it cannot be")
        die()
        #expect(try live(entering: []).reason(for: run) == "it cannot be")
    }

    @Test("the end of another process is told once, by the kernel, and that of this one never")
    func othersEnd() async throws {
        let scratch = try ScratchDirectory()
        let (others, marks) = (
            (0..<2).map { _ in OpeningMarks(in: scratch.directory) }, OpeningMarks(in: scratch.directory)
        )
        for other in others { other.begin() }
        marks.begin()
        let (ends, end) = AsyncStream.makeStream(of: Void.self)
        for _ in 0..<3 { marks.whenOthersEnd { end.yield() } }
        for other in others { other.end() }
        var told = ends.makeAsyncIterator()
        await told.next()
        await told.next()
        marks.end()
        end.finish()
        await #expect(told.next() == nil)
    }
}

import Testing
import WaybillCore
import WaybillPorts

@testable import WaybillProcesses

@Suite("What a monitor reports")
struct MonitorReportTests {
    private static let record = """
        {"format":1,"exitCode":7,"startedAt":"2026-01-01T00:00:00.000000Z","endedAt":"2026-01-01T00:00:01.000000Z"}
        """

    private static let whole = Array("S 12 34 56 78 90\nE \(record.utf8.count)\n\(record)".utf8)

    @Test("is understood wherever it is cut")
    func cuts() {
        for cut in Self.whole.indices {
            var report = MonitorReport()
            report.take(Self.whole[..<cut])
            #expect(report.outcome == nil)
            report.take(Self.whole[cut...])
            #expect(report.start == .init(monitor: 12, program: 34, token: 56, tag: 78, mask: 90))
            #expect(report.outcome?.end == .exited(code: 7))
            #expect(report.refusal == nil)
        }
    }

    @Test("may be that nothing was started")
    func refusal() {
        var report = MonitorReport()
        report.take(Array("R 11 0\n".utf8))
        #expect(report.refusal == .init(errno: 11))
        #expect(report.start == nil)
    }

    @Test("has no program where it could not be started")
    func noProgram() {
        var report = MonitorReport()
        report.take(Array("S 12 0 1 2 3\n".utf8))
        #expect(report.start?.monitor == 12)
        #expect(report.start?.program == nil)
    }

    @Test("says nothing if it is none", arguments: ["\n", "S 1\n", "E x\n", "E 5\nhello", "E -1\n", "nonsense\n\n"])
    func nonsense(text: String) {
        var report = MonitorReport()
        report.take(Array(text.utf8))
        #expect(report.start == nil && report.refusal == nil && report.outcome == nil)
    }
}

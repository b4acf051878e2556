import Testing

@testable import soak

@Suite("The agenda")
struct AgendaTests {
    @Test("what is due comes in the order of time, and nothing before its time")
    func order() {
        var agenda = Agenda()
        for due in [3, 1, 2, 5, 4] { agenda.add(.event(run: "\(due)"), at: Double(due)) }
        #expect(agenda.nextDue == 1)
        #expect((1...3).map { _ in agenda.next(at: 3.5) } == ["1", "2", "3"].map { .event(run: $0) })
        #expect(agenda.next(at: 3.5) == nil)
        #expect(agenda.nextDue == 4)
    }
}

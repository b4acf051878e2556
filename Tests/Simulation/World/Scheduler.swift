import WaybillRuntime
import WaybillTestKit

/// Runs the jobs of all lanes of one world on the calling thread, in an order that a seed decides.
///
/// It is unchecked because one thread has it: the one that drives its world.
final class Scheduler: LaneAttendant, @unchecked Sendable {
    private var ready: [Lane] = []

    var isIdle: Bool { ready.isEmpty }

    func attend(_ lane: Lane) { ready.append(lane) }

    /// Runs one job. The jobs of one lane keep their order.
    func runOne(_ random: inout SeededGenerator) {
        let lane = ready.remove(at: ready.count == 1 ? 0 : random.number(0..<ready.count))
        lane.runNext()
    }
}

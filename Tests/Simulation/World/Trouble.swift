import Synchronization
import WaybillPorts
import WaybillTestKit

/// Makes operations on a disk fail, for a while.
final class Trouble: Sendable {
    private struct State {
        var random: SeededGenerator
        var count = 0
        /// What every operation of a stretch fails with.
        var stretch: (code: FileSystemError.Code, left: Int)?
        /// No world is in trouble for ever.
        var left = 24
    }

    private static let codes: [FileSystemError.Code] = [.io, .noSpace, .tooManyOpenFiles, .interrupted]
    private let state: Mutex<State>
    /// In ten thousand operations.
    private let rate: Int
    /// The operation whose process is killed.
    private let killAt: Int?

    init(_ rate: Int, _ random: SeededGenerator, killAt: Int? = nil) {
        self.rate = rate
        self.killAt = killAt
        state = Mutex(State(random: random))
    }

    var count: Int { state.withLock { $0.count } }

    var plan: MemoryFileSystem.Plan? {
        guard rate > 0 || killAt != nil else { return nil }
        return { [self] operation in
            if operation.number == killAt { return .kill }
            return rate > 0 ? state.withLock { decide(&$0, operation) } : nil
        }
    }

    private func decide(_ state: inout State, _ operation: MemoryFileSystem.Operation) -> MemoryFileSystem.Fault? {
        if let stretch = state.stretch {
            state.stretch = stretch.left > 1 ? (stretch.code, stretch.left - 1) : nil
            state.count += 1
            return .fail(stretch.code)
        }
        guard state.left > 0, state.random.number(0..<10_000) < rate else { return nil }
        state.left -= 1
        state.count += 1
        switch operation.kind {
        case .read, .write:
            if state.random.chance(50) { return .short(state.random.number(1..<200)) }
        default: break
        }
        let code = state.random.pick(Self.codes)
        if state.random.chance(10) { state.stretch = (code, state.random.number(2..<25)) }
        return .fail(code)
    }
}

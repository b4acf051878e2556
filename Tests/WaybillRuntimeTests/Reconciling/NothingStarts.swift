import Synchronization
import SystemPackage
import WaybillCore
import WaybillEngine
import WaybillPorts

@testable import WaybillRuntime

/// A machine that starts nothing, sends nothing, and knows no secrets.
struct NothingStarts: ProcessLauncher, HTTPPerformer, SecretReader {
    private struct Call: HTTPCall { func cancel() {} }

    func launch(
        _ request: LaunchRequest, ended: @escaping @Sendable (ProcessOutcome?) -> Void
    ) throws(LaunchError) -> any RunningProcess { throw LaunchError(code: .shutDown, message: "nothing starts") }

    func adopt(
        exitFile: FilePath, ended: @escaping @Sendable (ProcessOutcome?) -> Void
    ) throws(LaunchError) -> Adoption { .neverBegan }

    func perform(_ request: HTTPRequestSpec, ended: @escaping @Sendable (HTTPOutcome) -> Void) -> any HTTPCall {
        Call()
    }

    func read(_ source: SecretSource) throws(SecretError) -> String { throw SecretError(.missing, "no secrets") }

    func shutDown() {}
}

/// As `NothingStarts`, but notes what a step would see at its start.
final class LaunchesSeen: ProcessLauncher {
    private struct State {
        var look: @Sendable () throws -> Set<String> = { [] }
        var seen: [Set<String>] = []
    }

    private let state = Mutex(State())

    var seen: [Set<String>] { state.withLock { $0.seen } }

    func look(_ look: @escaping @Sendable () throws -> Set<String>) { state.withLock { $0.look = look } }

    func launch(
        _ request: LaunchRequest, ended: @escaping @Sendable (ProcessOutcome?) -> Void
    ) throws(LaunchError) -> any RunningProcess {
        let look = state.withLock { $0.look }
        let found = (try? look()) ?? []
        state.withLock { $0.seen.append(found) }
        throw LaunchError(code: .system, message: "nothing starts")
    }

    func adopt(
        exitFile: FilePath, ended: @escaping @Sendable (ProcessOutcome?) -> Void
    ) throws(LaunchError) -> Adoption { .neverBegan }

    func shutDown() {}
}

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

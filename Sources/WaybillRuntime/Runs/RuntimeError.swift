package import WaybillCore
import WaybillEngine
import WaybillPorts
package import WaybillStore

/// Why the runtime cannot do what it was asked to. What a workflow does wrong is in its run, not here.
package struct RuntimeError: Error, Sendable, Hashable {
    package enum Code: String, Sendable {
        /// The folder is no tree, or its file system will not do.
        case noTree
        case unknownRun
        case unknownWorkflow
        case invalidManifest
        case invalidInputs
        /// The id is taken by a run with other inputs.
        case conflict
        /// A policy denies the start.
        case policy
        /// The run's concurrency group is full, and it does not queue.
        case skipped
        /// Another process works on the run; later it may go.
        case busy
        /// The ledger cannot be trusted; `seq` is the first entry that is wrong.
        case quarantined
        /// The disk refused something, or lacks something.
        case storage
        case `internal`
    }

    package var code: Code
    package var message: String
    package var seq: Int?
    package var diagnostics: [Diagnostic] = []
    /// What the rule of a policy said that denies the start, and what it saw: as `POLICY_PRE` has it.
    package var verdict: Object?

    package init(_ code: Code, _ message: String, seq: Int? = nil, diagnostics: [Diagnostic] = []) {
        self.code = code
        self.message = message
        self.seq = seq
        self.diagnostics = diagnostics
    }

    package init(_ error: StoreError) {
        let code: Code =
            switch error.code {
            case .locked: .busy
            case .damaged, .mismatch: .quarantined
            case .missing: .unknownRun
            default: .storage
            }
        self.init(code, error.message, seq: error.seq)
    }

    /// The denial of a start.
    init(denial: RuleVerdict) {
        self.init(.policy, denial.text)
        verdict = denial.data
    }
}

extension RuntimeError {
    /// Any error of the layers below, with its meaning kept.
    init(wrapping error: any Error) {
        switch error {
        case let error as RuntimeError: self = error
        case let error as StoreError: self.init(error)
        case let error as FileSystemError: self.init(StoreError(error))
        case let error as EngineError: self.init(.internal, error.message)
        case let error as LaunchError: self.init(.storage, error.message)
        default: self.init(.internal, String(describing: error))
        }
    }
}

extension RuntimeError: CustomStringConvertible {
    package var description: String { message }
}

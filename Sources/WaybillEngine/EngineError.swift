/// A state or a stimulus that the engine refuses. None of these is the workflow's fault: a step that fails is an entry.
package struct EngineError: Error, Sendable, Hashable {
    package enum Code: String, Sendable {
        /// A ledger entry does not fit the definition.
        case foreignEntry
        /// A stimulus does not fit the state, e.g. an outcome for an attempt that is not running.
        case unexpectedStimulus
        /// A checkpoint cannot be read.
        case malformedCheckpoint
    }

    package var code: Code
    package var message: String

    package init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }
}

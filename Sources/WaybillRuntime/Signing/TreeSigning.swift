import Synchronization
import SystemPackage
package import WaybillEngine
package import WaybillManifests
import WaybillPorts

/// The key that this process signs heads with: the one the tree's present settings name, or none.
///
/// Replaying a run never needs it, and a step that rests on nothing costs nothing more.
package final class TreeSigning: Sendable {
    private struct State {
        var path: String?
        var status: FileStatus?
        var key: SigningKey?
    }

    private let files: KeyFiles
    private let state = Mutex(State())

    package init(files: KeyFiles) { self.files = files }

    /// Takes the key that settings name, unless it has it already.
    ///
    /// - Throws: `storage` where they name one that may not be used; the one before stays then. Nothing that is to be
    ///   signed is recorded unsigned.
    package func use(_ settings: SettingsDefinition) throws(RuntimeError) {
        guard let path = settings.signingKey else { return state.withLock { $0 = State() } }
        let status = files.status(path)
        if status != nil, state.withLock({ $0.path == path && $0.status == status }) { return }
        let key = try files.signingKey(path)
        state.withLock { $0 = State(path: path, status: status, key: key) }
    }

    /// The `SIGNED` entry behind a head; nil without a key.
    package var sign: HeadSigner {
        { [self] head in state.withLock { $0.key }?.draft(over: head) }
    }
}

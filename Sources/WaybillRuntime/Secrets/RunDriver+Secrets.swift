import WaybillCore
import WaybillEngine
import WaybillManifests
import WaybillPorts

// Secrets are looked up when an attempt is launched, on a thread of their own: a command may take its time, and others
// share the driver's lane.

extension RunDriver {
    /// Looks up what an attempt needs, and launches it then. It stays in the queue until.
    func lookUp(_ names: [String], for reference: AttemptReference, _ session: RunSession) throws(RuntimeError) {
        let sources = sources(session)
        let reader = environment.secrets
        let thread = DedicatedThread(name: "waybill-secrets") {
            let found: Result<AttemptSecrets, SecretError>
            do throws(SecretError) {
                found = .success(try AttemptSecrets(names, from: sources, by: reader))
            } catch {
                found = .failure(error)
            }
            self.post { $0.launch(reference, found) }
        }
        guard let thread else {
            throw RuntimeError(
                .storage, "\(reference.step) cannot be started now: no thread left to get its secrets on")
        }
        thread.detach()
    }

    /// Where secrets are: as the tree says now, for they move during the life of a run, else as it said at its start.
    private func sources(_ session: RunSession) -> [String: SecretSource] {
        environment.definitions.secrets.merging(session.engine.definition.settings.secrets) { present, _ in present }
    }

    /// What is known of the secrets of an attempt that ended. Those of one that an earlier process launched are looked up
    /// again; that blocks, and is rare.
    func knowledge(of attempt: Attempt, _ session: RunSession) -> SecretKnowledge {
        let names = SecretUse.names(in: attempt.intent)
        // What came back to a request was masked as it came.
        guard !names.isEmpty, !attempt.isRequest else { return .none }
        if let known = masks[attempt.reference] { return .known(known) }
        do throws(SecretError) {
            return .known(try AttemptSecrets(names, from: sources(session), by: environment.secrets).masks)
        } catch {
            return .lost(error.message)
        }
    }
}

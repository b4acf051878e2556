package import SystemPackage
package import WaybillCore
package import WaybillEngine
import WaybillStore

/// What an entry names that lies in the run's artifacts.
package struct PayloadReferences: Sendable {
    /// With their sizes, in the order of the entry.
    package private(set) var payloads: [(digest: Digest, size: Int)] = []
    /// A copy that lies beside, relative to the run's folder.
    package private(set) var copy: FilePath?
    /// The ids of the steps whose sensitive outputs the payloads were made of.
    private(set) var sources: Set<String> = []

    package init(_ entry: Entry) {
        collect(.object(entry.data))
        // The files that a step made are listed with their digests.
        for artifact in entry.data["artifacts"]?.listValue ?? [] {
            if let record = ArtifactRecord(artifact) { payloads.append((record.digest, record.size)) }
        }
        if case .artifact? = AcceptedAnswer.content(of: entry), let name = AcceptedName.of(entry) {
            copy = RunFolder.inbox.appending("accepted").appending(name)
        }
    }

    /// Members named `...Ref`, at any depth: what waits for an approval is recorded inside of its wait.
    private mutating func collect(_ value: Value) {
        guard let object = value.objectValue else { return }
        sources.formUnion((object["sealedFrom"]?.listValue ?? []).compactMap(\.stringValue))
        for (name, member) in object {
            if name.hasSuffix("Ref"), let digest = member["sha256"]?.stringValue.flatMap(Digest.init(hex:)),
                let size = member["size"]?.intValue
            {
                payloads.append((digest, Int(size)))
            } else if name == "intent" || name == "start" {
                collect(member)
            }
        }
    }
}

import CLinux
import WaybillCore
import WaybillEngine
import WaybillPorts

/// The secrets of one attempt, in memory alone and for as long as it takes.
struct AttemptSecrets: Sendable {
    /// By name.
    let values: [String: String]
    let masks: SecretMasks

    /// Gets secrets from where they are. It blocks.
    ///
    /// - Throws: ``SecretError``, whose message names the secret and never quotes it.
    init(
        _ names: [String], from sources: [String: SecretSource], by reader: any SecretReader
    ) throws(SecretError) {
        var values: [String: String] = [:]
        for name in names {
            guard let source = sources[name] else {
                throw SecretError(.missing, "the settings have no secret '\(name)' any more")
            }
            do throws(SecretError) {
                values[name] = try reader.read(source)
            } catch {
                throw SecretError(error.code, "the secret '\(name)': \(error.message)")
            }
        }
        self.values = values
        masks = try Self.masks(Array(values.values))
    }

    /// What finds them also as they are written in the places of a request: a server may quote that once more.
    func masks(in places: [RequestText.Place]) throws(SecretError) -> SecretMasks {
        let written = places.compactMap { place in values[place.secret].map(place.spelling.spell) }
        return try Self.masks(Array(Set(values.values).union(written.filter { $0.utf8.count <= WB_LONGEST_SECRET })))
    }

    private static func masks(_ texts: [String]) throws(SecretError) -> SecretMasks {
        guard let masks = SecretMasks(texts) else {
            throw SecretError(.failed, "there is no memory left to mask secrets")
        }
        return masks
    }
}

/// What is known of an attempt's secrets once it has ended.
enum SecretKnowledge: Sendable {
    /// It had none.
    case none
    case known(SecretMasks)
    /// They cannot be had any more, so that nothing can be looked for; with the reason.
    case lost(String)
}

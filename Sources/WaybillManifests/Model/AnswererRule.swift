package import WaybillCore

/// `from`: who may answer a question, or control a run.
///
/// A person is one of these if any of `users`, `groups` and `signers` names them; where all three are empty, anybody is
/// whom the machine can tell. What is said besides can only exclude.
package struct AnswererRule: Sendable, Hashable {
    /// Login names, or `uid:1000` for a user that the machine has no name for.
    package var users: [String] = []
    /// Groups of the machine.
    package var groups: [String] = []
    /// Principals of the `allowed_signers` file that the settings name.
    package var signers: [String] = []
    /// How many different people must approve; one refusal refuses.
    package var quorum = 1
    /// Whoever started the run may not answer.
    package var notStarter = false
    /// Whoever answered one of these steps may not answer this one. Ids, resolved as `steps.<id>` is.
    package var notBy: [String] = []
    /// Whether the user that Waybill runs as may answer: then steps may answer as well.
    package var allowsSelf = false

    package init() {}

    /// Whether it names anybody, rather than letting everybody answer.
    package var namesPeople: Bool { !users.isEmpty || !groups.isEmpty || !signers.isEmpty }
}

extension AnswererRule {
    /// As manifests, entries and `waits/<key>.json` have it: only what is said.
    package var value: Value {
        var object = Object()
        for (name, list) in [("users", users), ("groups", groups), ("signers", signers)] where !list.isEmpty {
            object[name] = .list(list.map(Value.string))
        }
        if quorum > 1 { object["quorum"] = .int(Int64(quorum)) }
        if notStarter { object["notStarter"] = true }
        if !notBy.isEmpty { object["notBy"] = .list(notBy.map(Value.string)) }
        if allowsSelf { object["self"] = true }
        return .object(object)
    }

    /// Reads what `value` wrote; nil for anything but a map.
    package init?(_ value: Value?) {
        guard let object = value?.objectValue else { return nil }
        self.init()
        users = Self.texts(object["users"])
        groups = Self.texts(object["groups"])
        signers = Self.texts(object["signers"])
        quorum = object["quorum"]?.intValue.flatMap { Int(exactly: $0) } ?? 1
        notStarter = object["notStarter"] == true
        notBy = Self.texts(object["notBy"])
        allowsSelf = object["self"] == true
    }

    private static func texts(_ value: Value?) -> [String] { value?.listValue?.compactMap(\.stringValue) ?? [] }
}

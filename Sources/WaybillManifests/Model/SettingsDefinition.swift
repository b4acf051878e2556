package import WaybillCore

/// The tree's one `kind: Settings`.
package struct SettingsDefinition: Sendable {
    package var place: SourcePlace?
    /// Runs that may be executing at once; waiting ones do not count.
    package var concurrentRuns = 1_000
    /// Processes that may run at once.
    package var concurrentSteps = 8
    /// The environment that process steps start from; plain texts.
    package var environment: [(name: String, value: String)] = []

    /// How many attempts of steps that name a pool may run at once.
    package var pools: [String: Int] = [:]
    /// Where secrets come from, by name.
    package var secrets: [String: SecretSource] = [:]

    /// The file of the key that heads are signed with, as written: absolute, or relative to the tree's root.
    package var signingKey: String?
    /// The files of the public keys that `verify` trusts, as written.
    package var trustedKeys: [String] = []
    /// The group that may see questions and drop files into inboxes.
    package var accessGroup: String?
    /// Who may control runs; nil: anybody who can write to their inboxes.
    package var control: AnswererRule?
    /// The `allowed_signers` file, relative to the tree's root.
    package var signers: String?

    /// Which steps are kept from changing the tree's own folders.
    package enum Sandbox: String, Sendable {
        case off
        /// Those that do not begin in the tree's root, where they could make nothing then.
        case standard
        /// All.
        case strict
    }

    package var sandbox: Sandbox = .off

    package init() {}
}

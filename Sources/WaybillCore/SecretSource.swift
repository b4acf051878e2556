/// Where a secret of `Settings.secrets` comes from. The secret itself is never kept.
package enum SecretSource: Sendable, Hashable {
    /// A file, absolute or relative to the tree's root.
    case file(String)
    /// A variable in the environment of whoever starts the step: the daemon, or the command that drives the run.
    case environment(String)
    /// The name of a file in `$CREDENTIALS_DIRECTORY`, where systemd puts what `LoadCredential=` names.
    case credential(String)
    /// A program and its arguments, without a shell; what it prints is the secret.
    case command([String])

    /// The member of the manifest.
    package var kind: String {
        switch self {
        case .file: "file"
        case .environment: "env"
        case .credential: "credential"
        case .command: "command"
        }
    }

    /// For people: the path, the variable, the words of the command.
    package var detail: String {
        switch self {
        case .file(let path): path
        case .environment(let name), .credential(let name): name
        case .command(let words): words.joined(separator: " ")
        }
    }
}

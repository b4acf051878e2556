package import WaybillCore

/// Gets secrets from where `Settings.secrets` says they are, each time anew.
///
/// It blocks, for as long as a command may take: to be called on a thread that may block.
package protocol SecretReader: Sendable {
    /// The secret, without the one line feed (or carriage return and line feed) that files and commands end with.
    ///
    /// - Throws: ``SecretError``, which names the source and never says what is in it.
    func read(_ source: SecretSource) throws(SecretError) -> String
}

/// Why a secret cannot be had.
package struct SecretError: Error, Hashable, Sendable {
    package enum Code: String, Sendable {
        /// There is no such file, variable, credential or program.
        case missing
        /// Others than its owner may read or change the file.
        case tooOpen = "too-open"
        /// It is empty, shorter or longer than what can be masked, no UTF-8, or holds a NUL.
        case unusable
        /// The command failed, or took too long; the file cannot be read.
        case failed
    }

    package var code: Code
    package var message: String

    package init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }
}

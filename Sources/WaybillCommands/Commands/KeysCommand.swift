import ArgumentParser
import Glibc
import SystemPackage
import WaybillCore
import WaybillEngine
import WaybillManifests
import WaybillPorts
import WaybillRuntime
import WaybillStore

struct KeysCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "keys", abstract: "The keys that history is signed with.",
        discussion: """
            `keys: {sign: <private key>, trust: [<public keys>]}` in the settings has the heads of ledgers and journal \
            signed with Ed25519 at every wait and end, and lets `waybill verify` check it.
            """,
        subcommands: [KeysGenerateCommand.self, KeysShowCommand.self, KeysListCommand.self])
}

struct KeysGenerateCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "generate", abstract: "Make a key, and print its public half.",
        discussion: """
            The private key goes to a file that only you can read, the public one beside it with `.pub`, in OpenSSH's \
            format. Files that exist are never written over. Keep the private key out of the tree.
            """)

    @OptionGroup var options: GlobalOptions
    @Option(
        help: ArgumentHelp("The private key's file; ~/.config/waybill/signing.key unless said.", valueName: "file"),
        completion: .file())
    var out: String?
    @Option(help: ArgumentHelp("What people shall know it by; <user>@<host> unless said.", valueName: "name"))
    var name: String?

    func run() throws {
        guard let key = SigningKey.generate(name: name ?? Self.standardName) else {
            throw CommandError.usage("--name: a name is one line of at most 256 bytes")
        }
        let path = try out.map { try WorkingDirectory.path().pushing(FilePath($0)) } ?? Self.standardPath()
        guard let file = path.lastComponent else { throw CommandError.usage("--out: names no file") }
        let fileSystem = LocalFileSystem()
        let parent = path.removingLastComponent()
        try fileSystem.createDirectories(parent)
        guard let folder = try fileSystem.openDirectory(parent) else {
            throw CommandError("unknown-folder", "there is no folder \(parent)", status: .usage)
        }
        let names = (secret: FilePath(root: nil, [file]), shown: FilePath("\(file.string).pub"))
        for name in [names.secret, names.shown] where try folder.status(name) != nil {
            throw CommandError(
                "exists", "there is a file already", place: parent.pushing(name).string,
                hint: "nothing was written; name another one with --out")
        }
        try folder.write(
            Array(key.text.utf8), toNew: names.secret, permissions: Permissions.file, durability: .full)
        let line = key.publicKey.line + "\n"
        try folder.write(Array(line.utf8), toNew: names.shown, permissions: 0o644, durability: .full)
        let console = options.console
        console.note("the private key is \(path); in the settings: keys: {sign: \(path), trust: [\(path).pub]}")
        console.print(
            KeyView.value(key.publicKey, ["file": .string(path.string), "public": .string("\(path).pub")]),
            text: key.publicKey.line)
    }

    private static func standardPath() throws -> FilePath {
        let base = getenv("XDG_CONFIG_HOME").map { String(cString: $0) } ?? ""
        if base.hasPrefix("/") { return FilePath(base).appending("waybill").appending("signing.key") }
        guard let home = getenv("HOME").map({ String(cString: $0) }), home.hasPrefix("/") else {
            throw CommandError.usage("HOME is not set", hint: "name the file with --out")
        }
        return FilePath(home).appending(".config").appending("waybill").appending("signing.key")
    }

    private static var standardName: String {
        var host = [CChar](repeating: 0, count: 256)
        let hasHost = gethostname(&host, host.count - 1) == 0
        let bytes = host.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }
        let user = Accounts.userName(of: geteuid()) ?? "uid-\(geteuid())"
        return hasHost ? "\(user)@\(String(decoding: bytes, as: UTF8.self))" : user
    }
}

struct KeysShowCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show", abstract: "Print the public half of a key, or the public keys of a file.")

    @OptionGroup var options: GlobalOptions
    @Argument(help: "A private or public key's file; the tree's signing key unless said.", completion: .file())
    var file: String?

    func run() throws {
        let keys: [PublicKey]
        if let file {
            let files = KeyFiles(root: try WorkingDirectory.path(), fileSystem: LocalFileSystem())
            keys = try (try? files.publicKeys(file)) ?? [files.signingKey(file).publicKey]
        } else {
            let tree = try options.tree()
            guard let path = try SourceTree(root: tree.root).catalog.settings.signingKey else {
                throw CommandError(
                    "no-key", "the settings name no key to sign with", hint: "keys: {sign: <file>} in the settings",
                    status: .usage)
            }
            keys = [try KeyFiles(root: tree.layout.root, fileSystem: tree.fileSystem).signingKey(path).publicKey]
        }
        let console = options.console
        console.print(
            .list(keys.map { KeyView.value($0, Object()) }), text: keys.map(\.line).joined(separator: "\n"))
    }
}

struct KeysListCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "The keys that the tree's settings name, with their fingerprints.")

    @OptionGroup var options: GlobalOptions

    func run() throws {
        let tree = try options.tree()
        let settings = try SourceTree(root: tree.root).catalog.settings
        let files = KeyFiles(root: tree.layout.root, fileSystem: tree.fileSystem)
        var rows: [(use: String, file: String, key: PublicKey)] = []
        if let path = settings.signingKey { rows.append(("sign", path, try files.signingKey(path).publicKey)) }
        for path in settings.trustedKeys { rows += try files.publicKeys(path).map { ("trust", path, $0) } }
        let console = options.console
        let values = rows.map { row in
            KeyView.value(row.key, ["use": .string(row.use), "file": .string(row.file)])
        }
        let lines = rows.map { row in
            "\(Text.pad(row.use, to: 5))  \(row.key.fingerprint)  \(row.file)  \(row.key.name)"
        }
        console.print(.list(values), text: lines.isEmpty ? "the settings name no keys" : lines.joined(separator: "\n"))
    }
}

/// A public key for programs.
private enum KeyView {
    static func value(_ key: PublicKey, _ more: Object) -> Value {
        var object: Object = [
            "fingerprint": .string(key.fingerprint), "name": .string(key.name), "key": .string(key.line),
        ]
        for (name, value) in more { object[name] = value }
        return .object(object)
    }
}

/// Where the command was called: paths in arguments are relative to it, whatever `-C` says.
enum WorkingDirectory {
    static func path() throws(CommandError) -> FilePath { try TreeSearch.real(".") }
}

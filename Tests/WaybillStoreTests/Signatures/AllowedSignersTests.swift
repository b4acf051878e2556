import Foundation
import Testing
import WaybillCore

@testable import WaybillStore

/// Signatures that the real `ssh-keygen` made, and what may be wrong with them.
@Suite("Signatures", .enabled(if: Keygen.isThere, "ssh-keygen is not installed"))
struct AllowedSignersTests {
    private let keygen: Keygen
    private let now = Timestamp(rfc3339: "2026-11-20T10:00:00Z") ?? .earliest
    private let bytes = Array(#"{"token":"t","answer":true}"#.utf8)

    init() throws { keygen = try Keygen() }

    private func signer(
        _ file: String, _ signature: [UInt8], among names: [String] = ["alice@example.com"], of bytes: [UInt8]? = nil,
        now: Timestamp? = nil
    ) -> Result<AllowedSigners.Signer, AllowedSigners.Refusal> {
        AllowedSigners(Array(file.utf8)).signer(
            of: bytes ?? self.bytes, signature: signature, among: names, now: now ?? self.now)
    }

    private func principals(_ result: Result<AllowedSigners.Signer, AllowedSigners.Refusal>) -> [String] {
        (try? result.get().principals) ?? []
    }

    private func message(_ result: Result<AllowedSigners.Signer, AllowedSigners.Refusal>) -> String {
        if case .failure(let refusal) = result { refusal.message } else { "" }
    }

    @Test(
        "keys of every type are taken, with the fingerprint that ssh-keygen shows",
        arguments: ["ed25519", "ecdsa -b 256", "ecdsa -b 384", "ecdsa -b 521", "rsa -b 2048", "rsa -b 3072"])
    func types(type: String) throws {
        let key = try keygen.key(type)
        for text in ["", "x", String(repeating: "long\n", count: 30_000)] {
            let bytes = Array(text.utf8)
            let signature = try keygen.sign(bytes, with: key)
            let found = signer("alice@example.com \(key.line)\n", signature, of: bytes)
            #expect(principals(found) == ["alice@example.com"], "\(message(found))")
            #expect(try found.get().fingerprint == key.fingerprint)
            #expect(principals(signer("alice@example.com \(key.line)\n", signature, of: bytes + [0])) == [])
        }
    }

    @Test(
        "a line with options that are none is passed over and named", arguments: ["=", "==", "=x", "x=", "\"=\"", "x"])
    func strangeOptions(options: String) throws {
        let (alice, mallory) = (try keygen.key("ed25519"), try keygen.key("ed25519"))
        let file = "alice@example.com \(options) \(alice.line)\nmallory@example.com \(mallory.line)\n"
        #expect(
            message(signer(file, try keygen.sign(bytes, with: alice)))
                == "the key \(alice.fingerprint) is not in the file of allowed signers; line 1 of the file cannot be read"
        )
        let signature = try keygen.sign(bytes, with: mallory)
        #expect(principals(signer(file, signature, among: ["mallory@example.com"])) == ["mallory@example.com"])
    }

    @Test("a signature by another key, for another purpose, or that was changed, is nobody's")
    func forged() throws {
        let (alice, mallory) = (try keygen.key("ed25519"), try keygen.key("ed25519"))
        let file = "alice@example.com \(alice.line)\nmallory@example.com \(mallory.line)\n"
        let signature = try keygen.sign(bytes, with: mallory)
        #expect(message(signer(file, signature)) == "it is signed by mallory@example.com, who may not answer")
        #expect(
            message(signer("alice@example.com \(alice.line)\n", signature))
                == "the key \(mallory.fingerprint) is not in the file of allowed signers")
        let mail = try keygen.sign(bytes, with: alice, namespace: "file")
        #expect(message(signer(file, mail)) == "it was signed for 'file'; sign with `-n waybill`")
        let good = try keygen.sign(bytes, with: alice)
        #expect(principals(signer(file, good)) == ["alice@example.com"])
        for position in stride(from: 0, to: good.count, by: 7) {
            var changed = good
            changed[position] ^= 1
            #expect(principals(signer(file, changed)) == [], "byte \(position)")
            #expect(principals(signer(file, Array(good[..<position]))) == [], "cut at \(position)")
        }
        #expect(principals(signer(file, [])) == [])
        #expect(principals(signer(file, good + good)) == [])
    }

    @Test("principals, patterns, options and times are taken as ssh-keygen takes them")
    func lines() throws {
        let key = try keygen.key("ed25519")
        let signature = try keygen.sign(bytes, with: key)
        let cases: [(String, Bool)] = [
            ("alice@example.com", true), ("bob@example.com", false), ("*@example.com", true),
            ("bob@example.com,alice@*", true), ("*@example.com,!alice@example.com", false),
            ("alice@example.co?", true), ("\"alice@example.com\"", true), ("al*ce@*.com", true), ("*", true),
            ("alice@example.com namespaces=\"waybill\"", true), ("alice@example.com namespaces=\"git,way*\"", true),
            ("alice@example.com namespaces=\"git\"", false), ("alice@example.com cert-authority", false),
            ("alice@example.com valid-after=\"20260101Z\"", true),
            ("alice@example.com valid-after=\"20270101Z\"", false),
            ("alice@example.com valid-before=\"20261120100000Z\"", true),
            ("alice@example.com valid-before=\"20261120095959Z\"", false),
            ("alice@example.com valid-after=\"20260101Z\",valid-before=\"202612312359Z\"", true),
            ("alice@example.com unknown-option", false), ("alice@example.com valid-after=\"soon\"", false),
        ]
        for (head, isTaken) in cases {
            let file = "# people\n\n  \(head) \(key.line)\n"
            let found = signer(file, signature)
            #expect((principals(found) == ["alice@example.com"]) == isTaken, "\(head): \(message(found))")
            let isTakenBySSH = try keygen.verify(bytes, signature, file, "alice@example.com", at: "20261120100000Z")
            // Which ssh-keygen also takes, from certificates that this key never signed.
            #expect(isTaken == isTakenBySSH, "\(head): ssh-keygen says otherwise")
        }
        #expect(message(signer("alice@example.com cert-authority \(key.line)", signature)).contains("cert-authority"))
        #expect(message(signer("alice@example.com nonsense", signature)).contains("line 1 of the file cannot be read"))
    }

    @Test("a small RSA key, and a type that is not known, are refused by name")
    func weak() throws {
        let small = try keygen.key("rsa -b 1024")
        let found = signer("alice@example.com \(small.line)", try keygen.sign(bytes, with: small))
        #expect(message(found) == "an RSA key of 1024 bits is too small; 2048 are the least")
    }
}

/// The real tool, in a folder of its own.
final class Keygen {
    struct Key {
        var path: String
        /// Type and key, as `allowed_signers` has them.
        var line: String
        var fingerprint: String
    }

    static let isThere = FileManager.default.isExecutableFile(atPath: "/usr/bin/ssh-keygen")

    private let folder: URL
    private var count = 0

    init() throws {
        folder = FileManager.default.temporaryDirectory.appending(path: "keys-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(at: folder) }

    func key(_ type: String) throws -> Key {
        count += 1
        let path = folder.appending(path: "key\(count)").path()
        _ = try run("ssh-keygen -q -t \(type) -N '' -C '' -f \(path)")
        let parts = try String(contentsOfFile: path + ".pub", encoding: .utf8).split(separator: " ")
        let fingerprint = try run("ssh-keygen -l -f \(path).pub").output.split(separator: " ")[1]
        let line = parts.prefix(2).joined(separator: " ").trimmingCharacters(in: .newlines)
        return Key(path: path, line: line, fingerprint: String(fingerprint))
    }

    func sign(_ bytes: [UInt8], with key: Key, namespace: String = "waybill") throws -> [UInt8] {
        let message = folder.appending(path: "message")
        try Data(bytes).write(to: message)
        return Array(try run("ssh-keygen -Y sign -q -f \(key.path) -n \(namespace) < \(message.path())").output.utf8)
    }

    func verify(
        _ bytes: [UInt8], _ signature: [UInt8], _ file: String, _ name: String, at time: String
    ) throws -> Bool {
        try Data(bytes).write(to: folder.appending(path: "message"))
        try Data(signature).write(to: folder.appending(path: "message.sig"))
        try Data(file.utf8).write(to: folder.appending(path: "allowed"))
        let command =
            "ssh-keygen -Y verify -f allowed -I \(name) -n waybill -s message.sig -O verify-time=\(time) < message"
        return try run(command, mayFail: true).status == 0
    }

    @discardableResult
    private func run(_ command: String, mayFail: Bool = false) throws -> (output: String, status: Int32) {
        let process = Process()
        process.executableURL = URL(filePath: "/bin/sh")
        process.arguments = ["-c", command]
        process.currentDirectoryURL = folder
        let pipe = Pipe()
        process.standardOutput = pipe
        process.standardError = FileHandle.nullDevice
        try process.run()
        let output = pipe.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        try #require(mayFail || process.terminationStatus == 0, "\(command)")
        return (String(decoding: output, as: UTF8.self), process.terminationStatus)
    }
}

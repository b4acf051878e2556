import Testing
import WaybillCore
import WaybillEngine

@Suite("Keys")
struct PublicKeyTests {
    private static let line =
        "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIDjjyhNi4LKEldkksuaIVu4SWWRwo1BVr7ae6i/HzvlN root@vm"

    @Test("a line of OpenSSH's is read and written the same, and has the fingerprint that ssh-keygen prints")
    func publicKey() throws {
        let key = try #require(PublicKey(line: Self.line))
        #expect(key.line == Self.line)
        #expect(key.name == "root@vm")
        #expect(key.fingerprint == "SHA256:3RCGjgY1KfM2kC2wlX+/FDMlLnrO1oIO7CAgF2D33ZU")
    }

    @Test(
        "what is no Ed25519 key is none",
        arguments: [
            "", "ssh-ed25519", "ssh-ed25519 ?", "ssh-ed25519 AAAA", "ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAABAQ== a",
            "restrict \(line)", "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIDjjyhNi4LKEldkksuaIVu4SWWRwo1BVr7ae6i/Hzvk= a",
        ])
    func noKey(line: String) { #expect(PublicKey(line: line) == nil) }

    @Test("a file of keys may have comments and empty lines, and nothing else")
    func file() {
        #expect(PublicKey.keys(in: "# ours\n\n\(Self.line)\n")?.map(\.name) == ["root@vm"])
        #expect(PublicKey.keys(in: "\(Self.line)\nnobody\n") == nil)
        #expect(PublicKey.keys(in: "# none\n") == nil)
    }

    @Test("a private key is one line, and makes the same public one each time")
    func signingKey() throws {
        let key = try #require(SigningKey.generate(name: "a b"))
        #expect(key.text.hasPrefix("waybill-ed25519-secret "))
        #expect(key.text.hasSuffix(" a b\n"))
        #expect(SigningKey(text: key.text)?.publicKey == key.publicKey)
        #expect(SigningKey(text: Self.line) == nil)
        #expect(SigningKey.generate(name: "two\nlines") == nil)
    }
}

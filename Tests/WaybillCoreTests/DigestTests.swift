import Testing
import WaybillCore

@Suite("Digests")
struct DigestTests {
    private let abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"

    @Test("the digest of abc is the one of FIPS 180-4")
    func knownAnswer() {
        #expect(Digest.sha256("abc").hex == abc)
        #expect(Digest.sha256(Array("abc".utf8)).description == abc)
        #expect(
            Digest.sha256([UInt8]()).hex == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")
    }

    @Test("pieces give the digest of the whole")
    func stream() {
        var stream = SHA256Stream()
        stream.update(Array("a".utf8))
        #expect(stream.finalize() == Digest.sha256("a"))
        stream.update("bc".utf8)
        #expect(stream.finalize() == Digest.sha256("abc"))
    }

    @Test("hexadecimal reads back, in lower case and full length only")
    func hex() {
        #expect(Digest(hex: abc) == Digest.sha256("abc"))
        #expect(Digest(bytes: Digest.sha256("abc").bytes) == Digest.sha256("abc"))
        #expect(Digest(hex: abc.uppercased()) == nil)
        #expect(Digest(hex: String(abc.dropLast())) == nil)
        #expect(Digest(hex: "g" + abc.dropFirst()) == nil)
        #expect(Digest.zero.hex == String(repeating: "0", count: 64))
    }
}

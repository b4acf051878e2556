import Testing
import WaybillManifests

@Suite("Versions of capabilities")
struct CapabilityVersionTests {
    @Test(
        "a version is three numbers and perhaps a pre-release",
        arguments: ["0.0.0", "1.2.3", "10.20.30-rc.1", "1.0.0-0a.x-y"])
    func versions(text: String) throws {
        #expect(try SemanticVersion(text).description == text)
    }

    @Test(
        "anything else is no version",
        arguments: [
            "", "1", "1.2", "1.2.3.4", "01.2.3", "1.2.-3", "+1.2.3", "1.2.3-", "1.2.3-01", "1.2.3-a..b", "1.2.3+build",
            "1.2.x", "v1.2.3", "1.2.99999999999999999999", String(repeating: "1", count: 200),
        ])
    func noVersions(text: String) {
        #expect(throws: CapabilityVersionError.self) { try SemanticVersion(text) }
    }

    @Test("versions are ordered as the specification orders them")
    func order() throws {
        let texts = [
            "1.0.0-alpha", "1.0.0-alpha.1", "1.0.0-alpha.beta", "1.0.0-beta", "1.0.0-beta.2", "1.0.0-beta.11",
            "1.0.0-rc.1", "1.0.0", "1.0.1", "1.1.0", "2.0.0",
        ]
        let versions = try texts.map { try SemanticVersion($0) }
        #expect(versions.shuffled().sorted() == versions)
    }

    @Test(
        "a reference takes what is compatible",
        arguments: [
            ("a@1", "1.0.0", true), ("a@1", "1.9.3", true), ("a@1", "2.0.0", false), ("a@1", "0.9.0", false),
            ("a@1.2", "1.2.0", true), ("a@1.2", "1.3.0", true), ("a@1.2", "1.1.9", false),
            ("a@1.2.3", "1.2.3", true), ("a@1.2.3", "1.2.2", false), ("a@1.2.3", "1.3.0", true),
            ("a@0", "0.7.1", true), ("a@0.2", "0.2.9", true), ("a@0.2", "0.3.0", false), ("a@0.2.3", "0.2.2", false),
            ("a@1", "1.2.0-rc.1", false), ("a@1.2.0", "1.2.0-rc.1", false), ("a@1.2.0-rc.1", "1.2.0-rc.1", true),
            ("a@1.2.0-rc.1", "1.2.0", false), ("a@1.2.0-rc.1", "1.2.0-rc.2", false),
        ])
    func references(text: String, version: String, matches: Bool) throws {
        let reference = try CapabilityReference(text)
        #expect(reference.description == text)
        #expect(try reference.matches(SemanticVersion(version)) == matches)
    }

    @Test("a reference says what is wrong with it")
    func mistakes() {
        func message(_ text: String) -> String? {
            do throws(CapabilityVersionError) {
                _ = try CapabilityReference(text)
                return nil
            } catch {
                return error.message
            }
        }
        #expect(message("publish") == "say which version is meant: `publish@1`")
        #expect(message("Publish@1") == "a capability's name has lower-case letters, digits and dashes")
        #expect(message("publish@") == "a version is made of numbers without leading zeros, such as `1.2.0`")
        #expect(message("publish@1.2.3.4") == "a version has at most three numbers, such as `publish@1.2.0`")
        #expect(message("publish@1-rc") == "a version has three numbers, such as `1.2.0`")
        #expect(message("publish@1@2") == "a version is made of numbers without leading zeros, such as `1.2.0`")
    }
}

import Testing

/// What lies at the top of the repository, and what no committed text may name.
struct RepositoryTests {
    private static let visible: Set = [
        "Package.swift", "Sources", "Tests", "workflows", "runs", "hooks", "Makefile", "README.md",
    ]

    /// Texts that people read or programs run: what the rules on names look at.
    private func texts() throws -> [TextFile] {
        try Self.visible.subtracting(["runs"]).sorted().flatMap { try Tree.current.files(in: $0) }
            .filter { !$0.path.hasPrefix("Tests/Tidy/") }
    }

    private func lines(matching pattern: Regex<Substring>) throws -> [String] {
        try texts().flatMap { file in
            file.lines.enumerated().filter { $0.element.contains(pattern) }
                .map { "\(file.path):\($0.offset + 1): \($0.element)" }
        }
    }

    @Test("the top level holds what was agreed and nothing else")
    func topLevelIsAsAgreed() throws {
        // SwiftPM writes the first of these beside the package, and git ignores it.
        let stray = try Tree.current.visibleEntries().subtracting(Self.visible).subtracting(["Package.resolved"])
        #expect(stray.sorted() == [])
        #expect(Self.visible.subtracting(try Tree.current.visibleEntries()).sorted() == [])
    }

    @Test("no text names a folder of one machine")
    func noMachinePaths() throws {
        let found = try lines(matching: /(?:^|[\s"'=(`:])\/(?:work|farm|root|Users)\/[A-Za-z0-9._-]/)
        #expect(found == [])
    }

    @Test("packages come from their public homes, pinned, and no text names another registry")
    func noRegistryHosts() throws {
        let package = try Tree.current.files(in: "Package.swift").flatMap(\.lines)
        let dependencies = package.filter { $0.contains(".package(") }
        #expect(dependencies.filter { !$0.contains("https://github.com/") } == [])
        #expect(dependencies.filter { !$0.contains("exact: \"") } == [])
        let registries = /(?i)\b(?:artifactory|jfrog|goproxy|(?:registry|mirror|proxy)\.[a-z0-9-]+\.[a-z]+)/
        let found = try lines(matching: registries)
        #expect(found == [])
    }

    @Test("every example workflow's script is there and is a POSIX shell script that stops at errors")
    func scriptsAreCareful() throws {
        let scripts = try Tree.current.files(in: "workflows", suffix: ".sh")
        #expect(scripts.filter { $0.lines.first != "#!/bin/sh" }.map(\.path) == [])
        #expect(scripts.filter { !$0.lines.contains("set -eu") }.map(\.path) == [])
    }

    @Test("the README names the two commands that set everything up")
    func readmeNamesTheCommands() throws {
        let readme = try Tree.current.files(in: "README.md").flatMap(\.lines).joined(separator: "\n")
        #expect(readme.contains("make demo"))
        #expect(readme.contains("make test"))
    }
}

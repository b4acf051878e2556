import Testing

/// What is said in no Swift source, and how long one may be.
struct SourceTests {
    private func swiftFiles(in folders: [String] = ["Sources", "Tests"]) throws -> [TextFile] {
        try folders.flatMap { try Tree.current.files(in: $0, suffix: ".swift") }
    }

    @Test("no Swift file is longer than 500 lines")
    func filesAreShort() throws {
        let long = try swiftFiles().filter { $0.lines.count > 500 }
        #expect(long.map { "\($0.path): \($0.lines.count) lines" } == [])
    }

    @Test("no error is waved away with a forced try or a forced cast in Sources")
    func nothingIsForced() throws {
        let found: [String] = try swiftFiles(in: ["Sources"]).flatMap { $0.matches(of: /\btry!|\bas!/) }
        #expect(found == [])
    }

    @Test("no stub stands in Sources")
    func noStubs() throws {
        let stub = /fatalError\("(?i:not|un|todo)/
        let found: [String] = try swiftFiles(in: ["Sources"]).flatMap { $0.matches(of: stub) }
        #expect(found == [])
    }

    @Test("no note of unfinished work stands in the code, the scripts or the manifests")
    func noUnfinishedNotes() throws {
        let note = /\b(?:TODO|FIXME|XXX)\b/
        let folders = ["Sources", "Tests", "workflows", "hooks", "Makefile", "Package.swift"]
        let found = try folders.flatMap { try Tree.current.files(in: $0) }
            .filter { !$0.path.hasPrefix("Tests/Tidy/") }
            .flatMap { file in
                file.lines.enumerated().filter { $0.element.contains(note) }.map { "\(file.path):\($0.offset + 1)" }
            }
        #expect(found == [])
    }

    @Test("no test sleeps")
    func noSleepsInTests() throws {
        let sleep = /\bTask\.sleep\b|\bThread\.sleep\b|(?:^|[^\w.])(?:u|nano|clock_nano)?sleep\(/
        let found: [String] = try swiftFiles(in: ["Tests"]).filter { !$0.path.hasPrefix("Tests/Tidy/") }
            .flatMap { $0.matches(of: sleep) }
        #expect(found == [])
    }

    @Test("no room keeps a placeholder")
    func noPlaceholders() throws {
        let placeholders = try swiftFiles().filter { $0.name == "Placeholder.swift" }
        #expect(placeholders.map(\.path) == [])
    }
}

import Testing
import WaybillManifests

@Suite("Places inside scalars")
struct ScalarPlacesTests {
    /// The place of the first `@` of the text, found through the scalar, against the one in the file.
    private func check(_ file: String, comment: Comment) throws {
        let bytes = Array(file.utf8)
        let node = try #require(YAML.documents(bytes).documents.first?.member("k")?.node)
        guard case .scalar(let scalar) = node.content else { return }
        let offset = try #require(Array(scalar.text.utf8).firstIndex(of: UInt8(ascii: "@")))
        let mark = ScalarPlaces(source: bytes, scalar: scalar, mark: node.mark).mark(at: offset)

        let before = file.unicodeScalars.prefix { $0 != "@" }
        let line = before.count { $0 == "\n" } + 1
        let column = before.reversed().prefix { $0 != "\n" }.count + 1
        #expect(mark == YAMLMark(line: UInt32(line), column: UInt32(column), offset: UInt32(before.count)), comment)
    }

    @Test(
        "an offset in the text leads to its place in the file",
        arguments: [
            "k: ab@c", "j: é\nk:   é@", "k: 'it''s @'", "k: \"tab\\t\\u00e9\\x41 @\"", "k: \"a\\\n   b @\"",
            "k: one\n  two @", "k: one\n\n\n  two\n   @", "k: 'one\n\n  two\n   @'", "k: \"one\n  two\n   @\"",
            "k: |\n  one\n  two @", "k: |\n\n\n    one\n      two @\n", "k: |2\n      one @", "k: >-\n  one\n  two @",
            "k: >\n  one\n\n\n  two\n    more\n    @\n", "k: &a !!str one @", "k: |+\r\n  one\r\n  @\r\n",
            "k: '@'", "k: \"@\"", "k: |\n  @", "k: one\n  @",
        ])
    func places(file: String) throws {
        try check(file, comment: "\(file)")
    }
}

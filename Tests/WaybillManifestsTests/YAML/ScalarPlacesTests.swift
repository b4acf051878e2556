import Testing
import WaybillCore
import WaybillManifests

@Suite("Places inside scalars")
struct ScalarPlacesTests {
    private static let scalars = [
        "true && nope", "'true && nope'", "\"true && nope\"", "'''é'' == nope'", "\"\\\"\\u00e9\\x41\\\" == nope\"",
        "\"true &&\\\n        nope\"", "true\n        && nope", "true\n\n\n        &&\n         nope",
        "'true\n\n        &&\n         nope'", "\"true\n        &&\n         nope\"",
        "|\n        true\n        && nope",
        "|\n\n\n          true\n            && nope\n", "|2\n          true && nope",
        ">-\n        true\n        && nope",
        ">\n        true\n\n\n        &&\n          true &&\n          nope\n", "&anchor !!str true && nope",
        "|+\r\n        true\r\n        && nope\r\n", "nope", "'nope'", "|\n        nope", "${{ nope }}",
        "'${{ nope }}'", "|\n        ${{ true\n          && nope }}",
    ]

    /// An unknown name in a condition, in every way a scalar can be written; the error must point to the name.
    @Test("a mistake in an expression leads to its place in the file", arguments: scalars)
    func places(scalar: String) throws {
        let file = "kind: Workflow\nname: w\nsteps:\n    - id: a\n      if: \(scalar)\n      run: [x]\n"
        let name = try #require(file.ranges(of: "nope").last)
        let before = file[..<name.lowerBound].unicodeScalars
        let line = before.count { $0 == "\n" } + 1
        let column = before.reversed().prefix { $0 != "\n" }.count + 1
        let places = load(["workflows/w.yaml": file]).diagnostics.map(\.place)
        #expect(places == [SourcePlace(file: "workflows/w.yaml", line: line, column: column)])
    }

    @Test("a column counts code points")
    func codePoints() {
        let text = graph("{id: a, set: {x: \"é𝄞 ${{ nope }}\"}}")
        let places = load(["workflows/w.yaml": text]).diagnostics.map(\.place)
        #expect(places == [SourcePlace(file: "workflows/w.yaml", line: 4, column: 30)])
    }
}

import Testing
import WaybillCore
import WaybillEngine
import WaybillManifests

@Suite("Secrets in the text of a request")
struct RequestTextTests {
    private static let secret = #"a"b/ü &=+%"#

    private func fill(_ text: RequestText, with secrets: [String: String]) -> String? {
        RequestText.fill(Array(text.text.utf8), text.places, with: secrets).map { String(decoding: $0, as: UTF8.self) }
    }

    @Test(
        "are written as their place demands",
        arguments: [
            (RequestText.Spelling.plain, #"ü "*** and a"b/ü &=+% last"#),
            (.json, #"ü \"*** and a\"b/ü &=+% last"#),
            (.form, "%C3%BC+%22*** and a%22b%2F%C3%BC+%26%3D%2B%25 last"),
            (.query, "%C3%BC%20%22*** and a%22b%2F%C3%BC%20%26%3D%2B%25 last"),
        ])
    func spelling(spelling: RequestText.Spelling, expected: String) {
        var text = RequestText()
        // A text that looks like the place of a secret is none.
        text.append(spelling.spell("ü \"") + "*** and ")
        text.append(SecretText(secret: "s"), as: spelling)
        text.append(" last")
        #expect(text.text == spelling.spell("ü \"") + "*** and *** last")
        #expect(fill(text, with: ["s": Self.secret]) == expected)
    }

    @Test("several come in order, with what stands before each, and one may hold what looks like another")
    func several() {
        var text = RequestText("ü ")
        text.append(SecretText(prefix: "p ", secret: "one"), as: .plain)
        text.append(SecretText(secret: "two"), as: .plain)
        #expect(text.text == "ü p ******")
        #expect(fill(text, with: ["one": "***", "two": "2"]) == "ü p ***2")
    }

    @Test("a record that does not fit its text fills in nothing")
    func misfits() {
        let text = Array("a ***".utf8)
        let secrets = ["s": "secret"]
        let place = { (at: Int) in RequestText.Place(at: at, secret: "s", spelling: .plain) }
        #expect(RequestText.fill(text, [place(2)], with: secrets) == Array("a secret".utf8))
        for at in [-1, 0, 3, 5, 6, .max] { #expect(RequestText.fill(text, [place(at)], with: secrets) == nil) }
        #expect(RequestText.fill(text, [place(2), place(2)], with: secrets) == nil)
        #expect(RequestText.fill(text, [place(2)], with: [:]) == nil)
        for record: Value in [
            ["at": 2, "secret": "s"], ["at": 2, "secret": "s", "as": "yaml"], ["secret": "s", "as": "json"],
        ] {
            #expect(SecretUse.bodyPlaces(in: ["secretBody": [record]]) == nil)
        }
        #expect(SecretUse.urlPlaces(in: [:]) == [])
    }
}

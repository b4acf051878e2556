import Testing
import WaybillEngine

@Suite("Names of answer files")
struct AnswerNameTests {
    @Test(
        "a name gives key and format",
        arguments: [
            ("approve.json", "approve", AnswerName.Format.json), ("approve.yaml", "approve", .yaml),
            ("approve.yml", "approve", .yaml), ("approve.txt", "approve", .text), ("approve.exe", "approve", nil),
            ("approve", "approve", nil), ("approve--from-bob.json", "approve", .json),
            ("review.2.json", "review.2", .json), ("review.2--x--y.txt", "review.2", .text),
            ("build-unknown.txt", "build-unknown", .text), ("@cancel.json", "@cancel", .json),
            ("a-.json", "a-", .json), ("a--.json", "a", .json), ("--.json", "", .json),
        ])
    func parts(file: String, key: String, format: AnswerName.Format?) {
        let name = AnswerName(file: file)
        #expect(name.key == key)
        #expect(name.format == format)
        #expect(name.file == file)
        #expect(name.isControl == key.hasPrefix("@"))
    }

    @Test("in the common inbox the run's id comes first; without a dot in the stem it is no answer")
    func addressed() throws {
        let answer = try #require(AnswerName.addressed("release-1.review.2--x.txt"))
        #expect(answer.run == "release-1")
        #expect(answer.name.key == "review.2")
        #expect(answer.name.format == .text)
        let control = try #require(AnswerName.addressed("release-1.@cancel.json"))
        #expect(control.name.isControl)
        #expect(AnswerName.addressed("start-me.json") == nil)
        #expect(AnswerName.addressed("start-me") == nil)
    }
}

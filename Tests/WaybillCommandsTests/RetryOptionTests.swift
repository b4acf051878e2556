import Testing
import WaybillCore

@testable import WaybillCommands

@Suite("The option --retry")
struct RetryOptionTests {
    private static let both: Object = ["initial": "2s", "maxAttempts": 5]
    private static let causes: Object = ["jitter": "full", "on": ["exit", "timeout"]]
    private static let condition: Object = ["on": [["if": "error.message.contains('a,b=c')"]]]
    private static let readings: [(texts: [String], retry: Object)] = [
        (["maxAttempts=5,initial=2s"], both), (["maxAttempts=5", " initial = 2s "], both),
        ([#"{"maxAttempts": 5, "initial": "2s"}"#], both), (["{maxAttempts: 5}", "initial=2s"], both),
        (["on=[exit,timeout],jitter=full"], causes),
        ([#"on=[{if: "error.message.contains('a,b=c')"}]"#], condition), ([], Object()),
    ]

    @Test("fields and maps say the same, and fields add up", arguments: readings)
    func read(texts: [String], retry: Object) throws {
        let found = try RetryOption.read(texts)
        #expect(JSON.compact(.object(found)).count == JSON.compact(.object(retry)).count)
        for (name, value) in retry { #expect(found[name] == value) }
    }

    private static let wrong: [(texts: [String], message: String)] = [
        (["5"], "--retry: '5' is not of the form field=value"),
        (["maxAttempts=5,maxAttempts=6"], "--retry: 'maxAttempts' is given more than once"),
        (["on=[exit"], "--retry: '[exit' is neither JSON nor YAML: "),
    ]

    @Test("what is no field is told", arguments: wrong)
    func mistakes(texts: [String], message: String) throws {
        let error = try #require(throws: CommandError.self) { try RetryOption.read(texts) }
        #expect(error.text.contains(message))
    }
}

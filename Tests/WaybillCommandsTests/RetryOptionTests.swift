import Testing
import WaybillCore

@testable import WaybillCommands

@Suite("The option --retry")
struct RetryOptionTests {
    @Test(
        "fields and maps say the same, and fields add up",
        arguments: [
            (["maxAttempts=5,initial=2s"], ["initial": "2s", "maxAttempts": 5] as Object),
            (["maxAttempts=5", " initial = 2s "], ["initial": "2s", "maxAttempts": 5]),
            ([#"{"maxAttempts": 5, "initial": "2s"}"#], ["initial": "2s", "maxAttempts": 5]),
            (["{maxAttempts: 5}", "initial=2s"], ["initial": "2s", "maxAttempts": 5]),
            (["on=[exit,timeout],jitter=full"], ["jitter": "full", "on": ["exit", "timeout"]]),
            ([#"on=[{if: "error.message.contains('a,b=c')"}]"#], ["on": [["if": "error.message.contains('a,b=c')"]]]),
            ([], [:]),
        ])
    func read(texts: [String], retry: Object) throws {
        #expect(try Value.object(RetryOption.read(texts)) == .object(retry))
    }

    @Test(
        "what is no field is told",
        arguments: [
            (["5"], "--retry: '5' is not of the form field=value"),
            (["maxAttempts=5,maxAttempts=6"], "--retry: 'maxAttempts' is given more than once"),
            (["on=[exit"], "--retry: '[exit' is neither JSON nor YAML: "),
        ])
    func mistakes(texts: [String], message: String) throws {
        let error = try #require(throws: CommandError.self) { try RetryOption.read(texts) }
        #expect(error.text.contains(message))
    }
}

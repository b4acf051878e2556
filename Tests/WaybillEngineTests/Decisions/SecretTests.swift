import Testing
import WaybillCore
import WaybillEngine
import WaybillManifests

@Suite("Secrets in decisions")
struct SecretTests {
    private static let settings = "---\nkind: Settings\nsecrets: {forge: {env: FORGE}, mail: {env: MAIL}}\n"

    @Test("an intent and the policies have names, and nothing else")
    func names() throws {
        var run = try EngineRun.started(
            graph("{id: a, run: [make], secrets: {TOKEN: forge, OTHER: mail, SAME: forge}}") + Self.settings
                + "---\nkind: Policy\nname: p\nrules:\n  - {id: r, at: step.before, deny: \"step.secrets != ['forge', 'mail']\"}\n"
        )
        _ = run.news()
        let start = try #require(run.entries(.taskStart).first)
        #expect(start.data["secrets"] == ["TOKEN": "forge", "OTHER": "mail", "SAME": "forge"])
        #expect(start.data["env"] == nil)
        #expect(run.launched.count == 1)
    }

    @Test("a descriptor is recorded as such, and its secret counts for policies")
    func descriptor() throws {
        var run = try EngineRun.started(
            graph("{id: a, run: [make], secrets: {A: {name: forge, as: descriptor}, B: {name: mail, as: environment}}}")
                + Self.settings
                + "---\nkind: Policy\nname: p\nrules:\n  - {id: r, at: step.before, deny: \"step.secrets != ['forge', 'mail']\"}\n"
        )
        _ = run.news()
        let intent = try #require(run.entries(.taskStart).first).data
        #expect(intent["secrets"] == ["A": ["name": "forge", "as": "descriptor"], "B": "mail"])
        #expect(
            SecretUse.bindings(in: intent) == [
                SecretBinding(variable: "A", name: "forge", isDescriptor: true),
                SecretBinding(variable: "B", name: "mail"),
            ])
    }

    @Test("secrets within a JSON body leave the rest of it as it would be without them")
    func body() throws {
        let run = try EngineRun.started(
            graph(
                "{id: a, http: {method: POST, url: \"http://h/\", json: {z: {secret: forge}, b: [{secret: mail, prefix: '\"'}, \"${{ optional.none() }}\", {c: \"${{ [1, 2.0] }}\"}], n: \"${{ optional.none() }}\", a: \"${{ run.id }}\"}}}"
            ) + Self.settings)
        let intent = try #require(run.entries(.taskStart).first).data
        let expected = #"{"a":"\(run.state.id)","b":["\"***",{"c":[1,2.0]}],"z":"***"}"#
        #expect(intent["body"] == .string(expected.replacing(#"\(run.state.id)"#, with: run.state.id)))
        let places = try #require(SecretUse.bodyPlaces(in: intent))
        let text = Array(try #require(intent["body"]?.stringValue).utf8)
        let filled = try #require(RequestText.fill(text, places, with: ["forge": "x\"y", "mail": "m"]))
        #expect(try JSON.parse(filled)["z"] == "x\"y")
        #expect(try JSON.parse(filled)["b"] == ["\"m", ["c": [1, 2.0]]])
    }

    @Test("a policy can keep a secret from a step")
    func denied() throws {
        let run = try EngineRun.started(
            graph("{id: a, http: {url: \"http://h/\", auth: {bearer: {secret: forge}}}}") + Self.settings
                + "---\nkind: Policy\nname: p\nrules:\n  - {id: r, at: step.before, deny: \"'forge' in step.secrets\"}\n"
        )
        #expect(run.state.error?.kind == .policy)
        #expect(run.launched == [])
    }

    @Test("a secret that cannot be had fails the attempt with a kind that `retry` can name")
    func missing() throws {
        var run = try EngineRun.started(
            graph("{id: a, run: [make], secrets: {T: forge}, retry: {maxAttempts: 2, on: [secret]}}") + Self.settings)
        try run.end("a", .withoutSecret("the secret 'forge': the environment variable FORGE is not set"))
        #expect(run.state.error == nil)
        #expect(run.entries(.taskRetry).count == 1)
    }

    @Test("a step that let a secret out has failed, though it ended well")
    func leaked() throws {
        var run = try EngineRun.started(
            graph("{id: a, run: [make], secrets: {T: forge}, output: text}") + Self.settings)
        try run.end("a", .exited(0), secretProblem: "the output holds a secret of the step")
        #expect(run.state.error == Failure(.secret, "the output holds a secret of the step", step: "a"))
        #expect(run.entries(.taskEnd).first?.data["output"] == nil)
    }
}

import WaybillCore
import WaybillPorts
import WaybillTestKit

/// Sends requests to a server that lives in the world; the connection ends with the daemon, the server's work does not.
final class SimulatedPerformer: HTTPPerformer, @unchecked Sendable {
    private unowned let world: World
    private let life: Life

    init(_ world: World, _ life: Life) {
        self.world = world
        self.life = life
    }

    func perform(_ request: HTTPRequestSpec, ended: @escaping @Sendable (HTTPOutcome) -> Void) -> any HTTPCall {
        let number = world.outside.nextProcess()
        guard life.isAlive else { return SimulatedCall(world: world, number: number) }
        let key = request.headers.first { $0.name.lowercased() == "idempotency-key" }?.value ?? ""
        let count = (world.outside.received[key] ?? 0) + 1
        world.outside.received[key] = count
        var random = SeededGenerator(world.workload.seed, key.utf8.reduce(count) { $0 &* 31 &+ Int($1) })
        let now = world.outside.now
        world.outside.requests[number] = Request(
            owner: life.number, startedAt: now, endsAt: now + .milliseconds(random.number(1..<900)),
            status: random.chance(30) && count < 3 ? 503 : 200)
        life.answers[number] = ended
        return SimulatedCall(world: world, number: number)
    }

    func shutDown() { life.answers = [:] }
}

struct SimulatedCall: HTTPCall, @unchecked Sendable {
    unowned let world: World
    let number: Int

    func cancel() {
        let now = world.outside.now
        world.outside.requests[number]?.isCancelled = true
        world.outside.requests[number]?.endsAt = now
    }
}

extension World {
    /// Answers the requests whose time has come.
    func answerRequests() {
        for (number, request) in outside.requests.sorted(by: { $0.key < $1.key }) where request.endsAt <= outside.now {
            outside.requests[number] = nil
            let result: Result<HTTPResponse, HTTPFailure> =
                request.isCancelled
                ? .failure(HTTPFailure(.cancelled, "cancelled", mayHaveBeenSent: true))
                : .success(
                    HTTPResponse(
                        status: request.status, headers: [HTTPField("Content-Type", "application/json")],
                        body: Array(#"{"n":1}"#.utf8)))
            let outcome = HTTPOutcome(result: result, startedAt: request.startedAt, endedAt: outside.now)
            for life in lives where life.number == request.owner {
                if let ended = life.answers.removeValue(forKey: number) { ended(outcome) }
            }
        }
    }
}

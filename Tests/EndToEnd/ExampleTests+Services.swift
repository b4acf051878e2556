import Foundation
import Synchronization
import Testing
import WaybillCore
import WaybillTestKit

/// Three services that an order goes through, each a server of its own.
private struct Shop: Sendable {
    let stock: LoopbackServer
    let payments: LoopbackServer
    let shipping: LoopbackServer

    /// - Parameters:
    ///   - reply: what the shipping service says: a status and JSON.
    ///   - busy: how many requests the payment service puts off.
    init(shipping reply: (status: Int, json: String), busyFor busy: Int = 0) {
        stock = LoopbackServer(answer: { request in
            switch request.method {
            case "PUT": Shop.response(201, #"{"state": "reserved"}"#)
            case "DELETE": Shop.response(204)
            default: Shop.response(200, #"{"state": "shipped"}"#)
            }
        })
        let putOff = Mutex(0)
        payments = LoopbackServer(answer: { request in
            let isBusy = putOff.withLock { count in
                count += 1
                return count <= busy
            }
            if isBusy { return LoopbackServer.response(429, ["Retry-After: 1"]) }
            return request.method == "PUT"
                ? Shop.response(201, String(decoding: request.body, as: UTF8.self)) : Shop.response(204)
        })
        shipping = LoopbackServer(answer: { _ in Shop.response(reply.status, reply.json) })
    }

    private static func response(_ status: Int, _ json: String = "") -> [UInt8] {
        LoopbackServer.response(
            status, json.isEmpty ? [] : ["Content-Type: application/json"], body: Array(json.utf8))
    }

    func stop() {
        for server in [stock, payments, shipping] { server.stop() }
    }

    static func lines(_ server: LoopbackServer) -> [String] { server.requests.map { "\($0.method) \($0.target)" } }

    func arguments(_ run: String) -> [String] {
        [
            "run", "order-saga", "--id", run, "--input", "order=A-1", "--input",
            #"items=[{"sku": "lamp", "quantity": 2}]"#, "--input", "amount=4900", "--input", "stock=\(stock.url)",
            "--input", "payments=\(payments.url)", "--input", "shipping=\(shipping.url)",
        ]
    }
}

extension ExampleTests {
    // MARK: Order

    @Test("an order goes through three services, and waits for one that is busy")
    func order() async throws {
        let tree = try Self.tree("order-saga")
        let shop = Shop(shipping: (201, #"{"tracking": "T1"}"#), busyFor: 1)
        defer { shop.stop() }
        try await tree.withDaemon { _ in
            let started = try await tree.start(shop.arguments("o")).finish()
            #expect(started.status == 0, "\(started)")
            try await tree.untilStatus("o", "completed")
        }
        #expect(tree.member("runs/o/run.json", "outputs") == ["paid": 4900, "tracking": "T1"])
        #expect(Shop.lines(shop.stock) == ["PUT /reservations/A-1", "PATCH /reservations/A-1"])
        #expect(Shop.lines(shop.payments) == ["PUT /payments/A-1", "PUT /payments/A-1"])
        let keys = shop.payments.requests.map { $0.headers["idempotency-key"] }
        #expect(keys[0]?.utf8.count == 64 && keys[0] == keys[1])
        let sent = try #require(shop.shipping.requests.first)
        #expect(
            try JSON.parse(sent.body) == ["order": "A-1", "items": [["sku": "lamp", "quantity": 2]]])
        // The back-off is a wait of its own, no shorter than the server asked for.
        let waited = try tree.ledger("o").first { $0["data"]?["reason"] == "retry" && $0["type"] == "TASK_WAITING" }
        let since = try #require(waited?["ts"]?.stringValue.flatMap(Timestamp.init(rfc3339:)))
        let until = try #require(waited?["data"]?["until"]?.stringValue.flatMap(Timestamp.init(rfc3339:)))
        #expect(until >= since + .milliseconds(900))
    }

    @Test("an order that cannot be shipped is undone by the services, the last one first")
    func unshippable() async throws {
        let tree = try Self.tree("order-saga")
        let shop = Shop(shipping: (422, ""))
        defer { shop.stop() }
        let ended = try await tree.start(shop.arguments("o")).finish()
        #expect(ended.status == 1, "\(ended)")
        #expect(Shop.lines(shop.stock) == ["PUT /reservations/A-1", "DELETE /reservations/A-1"])
        #expect(Shop.lines(shop.payments) == ["PUT /payments/A-1", "DELETE /payments/A-1"])
        #expect(shop.shipping.requests.count == 1)
        #expect(
            tree.member("runs/o/run.json", "compensation")
                == ["status": "completed", "compensated": ["pay", "reserve"], "standing": [], "final": []])
        try await tree.expect(0, "verify", "o", "--deep")
    }

    // MARK: Refund

    private static func refund(_ run: String, _ account: String, _ cents: Int) -> [String] {
        [
            "run", "refund", "--id", run, "--input", "account=\(account)", "--input", "cents=\(cents)", "--input",
            "reason=it arrived broken", "--input", "ledger=ledger.jsonl", "--input", "letters=letters",
        ]
    }

    @Test("policies let small refunds pass, ask about large ones and stop those of blocked accounts")
    func refunds() async throws {
        let tree = try Self.tree("refund")
        #expect(try await tree.start(Self.refund("small", "alice", 2500)).finish().status == 0)
        #expect(try await tree.start(Self.refund("blocked", "mallory", 20_000)).finish().status == 1)
        #expect(tree.member("runs/blocked/run.json", "error", "kind") == "policy")
        #expect(try await tree.start(Self.refund("large", "alice", 20_000)).finish().status == 3)
        #expect(tree.lines("ledger.jsonl").count == 1)
        try tree.drop("yes\n", at: "runs/large/inbox/pay-large.txt")
        try await tree.expect(0, "reconcile")
        #expect(tree.status("large") == "completed")
        #expect(tree.lines("ledger.jsonl").count == 2)
        #expect(tree.names(in: "letters") == ["large.txt", "small.txt"])
        #expect(tree.member("runs/large/run.json", "usage", "cost")?.numberValue == 200)
    }

    @Test("a refund without a letter is taken back in the ledger")
    func unwritten() async throws {
        // A file stands where the folder for letters should be.
        let tree = try Self.tree("refund", ["letters": ""])
        try await tree.withDaemon { _ in
            #expect(try await tree.start(Self.refund("f", "alice", 2500)).finish().status == 0)
            try await tree.untilStatus("f", "failed")
        }
        let entries = try tree.lines("ledger.jsonl").map { try JSON.parse([UInt8]($0.utf8)) }
        #expect(entries.map { $0["kind"] } == ["refund", "reversal"])
        #expect(entries.map { $0["cents"] } == [2500, -2500])
        #expect(entries[0]["entry"] == entries[1]["entry"])
    }

    // MARK: Release train

    private func train() throws -> ScratchTree {
        try Self.tree(
            "release-train",
            [
                "src/api/main": "api\n", "src/web/index": "web\n", "src/web/smoke.sh": "#!/bin/sh\ntest -s index\n",
                "src/api/test.sh": "#!/bin/sh\ntest -s main\n",
            ])
    }

    private func start(_ tree: ScratchTree, _ run: String, _ version: String) async throws {
        let train = try await tree.waybill(
            "run", "release-train", "--id", run, "--input", "version=\(version)", "--input",
            #"components=["api", "web"]"#, "--input", "sources=src", "--input", "stages=stages", "--input",
            "builds=builds")
        #expect(train.status == 3, "\(train)")
    }

    @Test("two components go by way of staging into production, each part of the way as a run of its own")
    func releaseTrain() async throws {
        let tree = try train()
        try await start(tree, "t", "v1.0.0")
        #expect(tree.names(in: "stages") == ["staging"])
        #expect(tree.lines("stages/staging/current/api/main") == ["api"])
        try tree.drop("yes\n", at: "runs/t/inbox/approve.txt")
        try await tree.expect(0, "reconcile")
        #expect(tree.status("t") == "completed")
        #expect(tree.lines("stages/production/current/web/index") == ["web"])
        let runs = tree.names(in: "runs").compactMap { tree.member("runs/\($0)/run.json", "workflow")?.stringValue }
        #expect(
            runs.sorted() == ["build-component", "build-component", "deploy-stage", "deploy-stage", "release-train"])
        #expect(tree.names(in: "builds") == ["api-v1.0.0.tar.gz", "web-v1.0.0.tar.gz"])
    }

    @Test("a train that is refused takes staging back to the release before")
    func refusedTrain() async throws {
        let tree = try train()
        try await start(tree, "t1", "v1.0.0")
        try tree.drop("yes\n", at: "runs/t1/inbox/approve.txt")
        try await tree.expect(0, "reconcile")
        try tree.write("broken\n", to: "src/api/main")
        try await start(tree, "t2", "v1.1.0")
        #expect(tree.lines("stages/staging/current/api/main") == ["broken"])
        try tree.drop("no\n", at: "runs/t2/inbox/approve.txt")
        try await tree.expect(0, "reconcile")
        #expect(tree.status("t2") == "failed")
        #expect(tree.lines("stages/staging/current/api/main") == ["api"])
        #expect(tree.names(in: "stages/staging").filter { !$0.hasPrefix(".") } == ["current", "v1.0.0"])
        #expect(tree.lines("stages/production/current/api/main") == ["api"])
    }
}

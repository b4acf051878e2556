import Foundation
import Testing
import WaybillCore

extension ExampleTests {
    // MARK: Migration

    private static let migrations = "workflows/examples/migration/migrations"

    private func database(_ files: [String: String] = [:]) async throws -> ScratchTree {
        let tree = try Self.tree("migration", files)
        let sql = """
            CREATE TABLE customers (id INTEGER PRIMARY KEY, name TEXT NOT NULL);
            INSERT INTO customers (name) VALUES ('Ada'), ('Grace'); PRAGMA user_version = 1;
            """
        let made = try await tree.run("sqlite3", "app.db", sql)
        #expect(made.status == 0, "\(made)")
        return tree
    }

    private func query(_ tree: ScratchTree, _ sql: String) async throws -> [String] {
        try await tree.run("sqlite3", "-readonly", "app.db", sql).lines
    }

    private static let migrate = [
        "run", "migration", "--id", "m", "--input", "database=app.db", "--input", "backups=backups", "--input",
        "notices=notices",
    ]

    @Test("a database gets its pending migrations, after a backup", .enabled(if: ExampleTests.has("sqlite3")))
    func migration() async throws {
        let tree = try await database()
        let ended = try await tree.start(Self.migrate).finish()
        #expect(ended.status == 0, "\(ended)")
        #expect(tree.member("runs/m/run.json", "outputs", "applied") == ["002-orders.sql"])
        #expect(try await query(tree, "PRAGMA user_version; SELECT count(*) FROM orders") == ["2", "0"])
        #expect(tree.names(in: "backups") == ["m.db"])
        #expect(!tree.exists("notices"))
    }

    @Test(
        "a migration that fails, and one that loses rows, leave the database as it was, and a notice",
        .enabled(if: ExampleTests.has("sqlite3")),
        arguments: [("SELECT nothing FROM nowhere;\n", "apply"), ("DELETE FROM customers;\n", "check")])
    func brokenMigration(sql: String, step: String) async throws {
        let tree = try await database(["\(Self.migrations)/003-broken.sql": sql])
        let ended = try await tree.start(Self.migrate).finish()
        #expect(ended.status == 1, "\(ended)")
        #expect(tree.member("runs/m/run.json", "error", "step") == .string(step))
        #expect(tree.member("runs/m/run.json", "compensation", "status") == "completed")
        let tables = try await query(
            tree,
            "PRAGMA user_version; SELECT name FROM customers; SELECT count(*) FROM sqlite_schema WHERE name = 'orders'")
        #expect(tables == ["1", "Ada", "Grace", "0"])
        #expect(tree.member("notices/m.json", "error", "step") == .string(step))
    }

    // MARK: Certificate

    /// A tree with an authority, and a certificate that is good for ten more days.
    private func certificates() async throws -> ScratchTree {
        let tree = try Self.tree("certificate")
        let made = try await tree.run(
            "sh", "-euc",
            """
            mkdir ca live
            key() { openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out "$1"; }
            key ca/ca.key
            openssl req -x509 -new -key ca/ca.key -subj /CN=Authority -days 365 -out ca/ca.crt
            key live/tls.key
            openssl req -x509 -new -key live/tls.key -subj /CN=shop.example -days 10 -out live/tls.crt
            """)
        #expect(made.status == 0, "\(made)")
        return tree
    }

    private static func renew(_ more: String...) -> [String] {
        [
            "run", "certificate", "--id", "c", "--input", "domain=shop.example", "--input", "live=live", "--input",
            "authority=ca",
        ]
            + more.flatMap { ["--input", $0] }
    }

    @Test("a certificate that runs out is replaced by one of the authority", .enabled(if: ExampleTests.has("openssl")))
    func renewal() async throws {
        let tree = try await certificates()
        let ended = try await tree.start(Self.renew("urgent=true")).finish()
        #expect(ended.status == 0, "\(ended)")
        #expect(tree.member("runs/c/run.json", "outputs", "renewed") == true)
        #expect(tree.names(in: "live") == ["tls.crt", "tls.key"])
        let checked = try await tree.run(
            "openssl", "verify", "-CAfile", "ca/ca.crt", "-verify_hostname", "shop.example", "live/tls.crt")
        #expect(checked.status == 0, "\(checked)")
    }

    @Test(
        "a new certificate waits for the window, and is thrown away if the run is cancelled",
        .enabled(if: ExampleTests.has("openssl")))
    func cancelledRenewal() async throws {
        let tree = try await certificates()
        let before = tree.bytes("live/tls.crt")
        let started = try await tree.start(Self.renew()).finish()
        #expect(started.status == 3, "\(started)")
        let until = try #require(tree.member("runs/c/waits/window.json", "until")?.stringValue)
        // Half past three in Berlin is half past one or two in UTC.
        #expect(until.contains("T01:30:00") || until.contains("T02:30:00"))
        #expect(tree.names(in: "live") == [".staged.c", "tls.crt", "tls.key"])
        _ = try await tree.waybill("cancel", "c", "--reason", "not this week")
        #expect(tree.status("c") == "cancelled")
        #expect(tree.names(in: "live") == ["tls.crt", "tls.key"])
        #expect(tree.bytes("live/tls.crt") == before)
    }

    @Test("a certificate that is good for long enough is left alone", .enabled(if: ExampleTests.has("openssl")))
    func freshCertificate() async throws {
        let tree = try await certificates()
        let ended = try await tree.start(Self.renew("renewBefore=5")).finish()
        #expect(ended.status == 0, "\(ended)")
        #expect(tree.member("runs/c/run.json", "outputs", "renewed") == false)
        #expect(tree.names(in: "live") == ["tls.crt", "tls.key"])
    }
}

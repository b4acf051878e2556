import Foundation
import Testing
import WaybillCore

/// The scripts of the example workflows, each alone: what they do twice, and what they do with bad input.
@Suite("The example workflows' scripts")
struct ScriptTests {
    private static func step(_ tree: ScratchTree, _ shell: String) async throws -> Finished {
        let prelude = """
            set -eu
            export WAYBILL_RUN_ID=run1 WAYBILL_SOURCE_DIR="$PWD/workflows/ingest"
            key() { WAYBILL_IDEMPOTENCY_KEY=$(printf '%s' "$1" | sha256sum | cut -c 1-64); export WAYBILL_IDEMPOTENCY_KEY; }
            """
        return try await tree.run("sh", "-c", "\(prelude)\n\(shell)")
    }

    /// One whole backup of `src` to `dst`; prints what `copy` and `compare` said, in one line each.
    private static let backup = """
        backup() {
            key "$1"
            plan=$(workflows/backup/prepare.sh src dst)
            of() { printf '%s' "$plan" | jq -r ".$1"; }
            workflows/backup/copy.sh "$(of source)" "$(of partial)" "$(of previous)" "${2:-quick}" | jq -c .
            workflows/backup/compare.sh "$(of source)" "$(of partial)" 5 | jq -c .
            workflows/backup/seal.sh "$(of partial)" "$(of destination)" "$(of name)" >/dev/null
            mv -T "dst/$(of name)" "dst/2026010${1}T000000Z-00000000"
            ln -sfn "2026010${1}T000000Z-00000000" dst/latest
        }
        """

    @Test("a backup links what did not change, copies what did, and leaves the snapshot before as it was")
    func incrementalBackup() async throws {
        let tree = try ScratchTree(
            ["src/same": "same", "src/edited": "one", "src/gone": "gone", "src/a b/-odd $name": "odd"],
            copying: ["workflows/backup"])
        let finished = try await Self.step(
            tree,
            """
            \(Self.backup)
            ln -s same src/link
            backup 1
            printf 'two!' > src/edited; rm src/gone; mkdir src/new; echo n > src/new/n
            backup 2
            cat dst/20260101T000000Z-00000000/data/edited; echo
            diff -r --no-dereference src dst/latest/data && echo equal
            stat -c %h dst/latest/data/same dst/latest/data/edited
            """)
        #expect(finished.status == 0, "\(finished)")
        #expect(
            finished.lines == [
                #"{"files":5,"bytes":14,"copied":5,"linked":0,"removed":0}"#,
                #"{"checked":4,"different":[],"more":0}"#,
                #"{"files":5,"bytes":13,"copied":2,"linked":3,"removed":1}"#,
                #"{"checked":4,"different":[],"more":0}"#,
                "one", "equal", "2", "1",
            ])
    }

    @Test("a change that size and time hide is found by the comparison, and copied on request")
    func hiddenChange() async throws {
        let tree = try ScratchTree(["src/file": "one"], copying: ["workflows/backup"])
        let finished = try await Self.step(
            tree,
            """
            \(Self.backup)
            backup 1
            touch -r src/file stamp; printf 'two' > src/file; touch -r stamp src/file
            backup 2
            backup 3 full
            """)
        #expect(finished.status == 0, "\(finished)")
        #expect(
            finished.lines.suffix(4) == [
                #"{"files":1,"bytes":3,"copied":0,"linked":1,"removed":0}"#,
                #"{"checked":1,"different":["file"],"more":0}"#,
                #"{"files":1,"bytes":3,"copied":1,"linked":0,"removed":0}"#,
                #"{"checked":1,"different":[],"more":0}"#,
            ])
    }

    @Test("retention keeps the newest snapshots and the one just made, and touches nothing else")
    func retention() async throws {
        let tree = try ScratchTree(copying: ["workflows/backup"])
        let finished = try await Self.step(
            tree,
            """
            for day in 1 2 3 4; do mkdir -p "dst/2026010${day}T000000Z-00000000/data"; done
            mkdir dst/precious dst/.partial-young; chmod 555 dst/20260102T000000Z-00000000/data
            workflows/backup/retain.sh dst 2 20260101T000000Z-00000000 | jq -c '[.kept, .removed | length]'
            """)
        #expect(finished.status == 0, "\(finished)")
        #expect(finished.lines == ["[3,1]"])
        #expect(
            tree.names(in: "dst") == [
                ".partial-young", "20260101T000000Z-00000000", "20260103T000000Z-00000000",
                "20260104T000000Z-00000000", "precious",
            ])
    }

    @Test("a backup into its own source is refused")
    func backupIntoItself() async throws {
        let tree = try ScratchTree(["src/file": "x"], copying: ["workflows/backup"])
        let finished = try await Self.step(tree, "key 1; workflows/backup/prepare.sh src src/backups")
        #expect(finished.status == 1)
        #expect(finished.errors.contains("lies inside"))
    }

    @Test("rows are judged one by one, with their lines and reasons")
    func judgedRows() async throws {
        let tree = try ScratchTree(
            [
                "rows.csv": "id,name\r\n1,\"a, \"\"b\"\"\"\r\n\r\n2,\"two\nlines\"\r\nx,c\n2,d\n3\n4,\"open\n5,e\n",
                "rules.json": #"{"columns":{"id":{"type":"integer","unique":true},"name":{"type":"string"}}}"#,
            ], copying: ["workflows/ingest"])
        let finished = try await Self.step(
            tree,
            "echo '[]' | workflows/ingest/check.sh rows.csv rules.json 9 | jq -c '[.rows, .bad, .percent, .sample]'")
        #expect(finished.status == 0, "\(finished)")
        #expect(
            finished.lines == [
                #"[6,4,"66.7 %","line 6: id \"x\" is no integer\nline 7: id 2 is already in line 4\n"#
                    + #"line 8: 1 fields where the header has 2\nline 9: a quote is opened and never closed"]"#
            ])
        #expect(tree.lines("good.jsonl") == [#"{"id":1,"name":"a, \"b\""}"#, #"{"id":2,"name":"two\nlines"}"#])
    }

    @Test("corrections settle rows, and loading refuses a file that changed since it was checked")
    func corrections() async throws {
        let tree = try ScratchTree(
            [
                "in/rows.jsonl": "{\"id\":1}\n{\"id\":\"x\"}\nnothing\n",
                "rules.json": #"{"columns":{"id":{"type":"integer","required":true}}}"#,
                "corrections.in": #"[{"line":2,"row":{"id":7}},{"line":3,"row":{"id":8}},{"line":3,"row":null}]"#,
            ], copying: ["workflows/ingest"])
        let finished = try await Self.step(
            tree,
            """
            sum=$(workflows/ingest/check.sh in/rows.jsonl rules.json 9 < corrections.in | jq -r '[.bad, .sha256] | @tsv')
            load() { workflows/ingest/load.sh in/rows.jsonl rules.json out rows "${sum#*\t}" < corrections.in; }
            load | jq -c '[.loaded, .rejected]'
            cat out/rows.jsonl
            echo '{"id":9}' >> in/rows.jsonl
            load
            """)
        #expect(finished.status == 1)
        #expect(finished.lines == ["[2,0]", #"{"id":1}"#, #"{"id":7}"#])
        #expect(finished.errors.contains("has changed since it was checked"))
        #expect(tree.names(in: "out") == ["rows.jsonl", "rows.rejected.jsonl"])
    }

    @Test("publishing twice is harmless, and another release under the same name is refused")
    func publishing() async throws {
        let tree = try ScratchTree(["a.tar.gz": "archive"], copying: ["workflows/release"])
        let finished = try await Self.step(
            tree,
            """
            out=$PWD/out
            release() {
                staged=$(printf '%s' "$1" | workflows/release/stage.sh "$PWD" "$out" app-1 a.tar.gz | jq -r .folder)
                workflows/release/publish.sh "$staged" "$out" app-1 >/dev/null
            }
            release '{"v":1}'
            release '{"v":1}'
            workflows/release/verify.sh out/latest
            release '{"v":2}' || echo refused
            workflows/release/withdraw.sh "$staged" "$out" app-1 run1
            workflows/release/withdraw.sh "$staged" "$out" app-1 run1
            jq -r .run out/refused.jsonl
            """)
        #expect(finished.status == 0, "\(finished)")
        #expect(finished.lines == ["app-1.tar.gz: OK", "manifest.json: OK", "refused", "run1"])
        #expect(tree.names(in: "out") == ["app-1", "latest", "refused.jsonl"])
        #expect(tree.names(in: "out/latest") == ["SHA256SUMS", "app-1.tar.gz", "manifest.json"])
    }
}

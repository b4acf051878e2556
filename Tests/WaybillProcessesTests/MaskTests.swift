import CLinux
import Foundation
import Testing
import WaybillPorts
import WaybillProcesses

/// Masks a text that comes in pieces.
private func masked(_ pieces: [[UInt8]], of secrets: [String]) throws -> (text: String, found: Int) {
    let texts = secrets.map { strdup($0) }
    defer { for text in texts { free(text) } }
    let pointers = texts.map { UnsafePointer($0) }
    let masks = try #require(wb_masks_make(pointers, pointers.count))
    defer { wb_masks_free(masks) }
    let stream = try #require(wb_mask_stream_make(masks))
    defer { wb_mask_stream_free(stream) }
    var result: [UInt8] = []
    var out: UnsafeRawPointer?
    for piece in pieces {
        let count = wb_mask_feed(stream, piece, piece.count, &out)
        result += UnsafeRawBufferPointer(start: out, count: count)
    }
    let count = wb_mask_end(stream, &out)
    result += UnsafeRawBufferPointer(start: out, count: count)
    return (String(decoding: result, as: UTF8.self), Int(wb_mask_found(stream)))
}

private func masked(_ text: String, of secrets: String...) throws -> String {
    try masked([Array(text.utf8)], of: secrets).text
}

private func base64(_ bytes: [UInt8]) -> String { Data(bytes).base64EncodedString() }

@Suite("Masks")
struct MaskTests {
    private static let secret = #"p4s/w"rd\ é<€>😀+&~x"#

    @Test("a secret is masked however the usual writers spell it")
    func forms() throws {
        let secret = Self.secret
        let forms = [
            secret, #"p4s/w\"rd\\ é<€>😀+&~x"#, #"p4s\/w\"rd\\ é<€>😀+&~x"#,
            #"p4s/w\"rd\\ \u00e9<\u20ac>\ud83d\ude00+&~x"#, #"p4s/w\"rd\\ \u00E9<\u20AC>\uD83D\uDE00+&~x"#,
            #"p4s\/w\"rd\\ \u00e9<\u20ac>\ud83d\ude00+&~x"#, #"p4s/w\"rd\\ é\u003c€\u003e😀+\u0026~x"#,
            "p4s%2Fw%22rd%5C%20%C3%A9%3C%E2%82%AC%3E%F0%9F%98%80%2B%26~x",
            "p4s%2fw%22rd%5c%20%c3%a9%3c%e2%82%ac%3e%f0%9f%98%80%2b%26~x",
            "p4s%2Fw%22rd%5C+%C3%A9%3C%E2%82%AC%3E%F0%9F%98%80%2B%26~x",
            "p4s/w%22rd%5C%20%C3%A9%3C%E2%82%AC%3E%F0%9F%98%80%2B%26~x",
            "p4s/w%22rd%5C%20%C3%A9%3C%E2%82%AC%3E%F0%9F%98%80+&~x",
            "p4s%2Fw%22rd%5C+%C3%A9%3C%E2%82%AC%3E%F0%9F%98%80%2B%26%7Ex",
        ]
        for form in forms {
            #expect(try masked("a \(form) b", of: secret) == "a *** b", "\(form)")
        }
    }

    @Test("a secret is masked in base64 wherever it begins in its group of three", arguments: 0..<3)
    func base64Alignments(before: Int) throws {
        let secret = "hunter2-is-it?>~~"
        for after in 0..<3 {
            let front = Array("xyz".utf8.prefix(before)), back = Array("uvw".utf8.prefix(after))
            let encoded = base64(front + Array(secret.utf8) + back)
            for text in [encoded, encoded.replacing("+", with: "-").replacing("/", with: "_")] {
                let shown = try masked("[\(text)]", of: secret)
                // Only characters that the neighbours have a part in are left.
                #expect(shown.contains("***") && shown.utf8.count <= 3 + 2 + 4 + 4 + 2, "\(text) became \(shown)")
                #expect(try masked(text, of: secret) != text)
            }
        }
    }

    @Test("base64 is found across the line breaks of its usual writers", arguments: [60, 64, 76], ["\n", "\r\n"])
    func wrappedBase64(width: Int, feed: String) throws {
        let secret = String(repeating: "0123456789abcdef-", count: 9)
        let encoded = base64(Array(secret.utf8))
        var lines: [Substring] = []
        var rest = encoded[...]
        while !rest.isEmpty {
            lines.append(rest.prefix(width))
            rest = rest.dropFirst(width)
        }
        #expect(try masked("<" + lines.joined(separator: feed) + "\n>", of: secret) == "<***\n>")
    }

    @Test("a secret is masked wherever it is cut in two, or into single bytes")
    func boundaries() throws {
        let text = Array("before correct-horse correct-hors correct-horse".utf8)
        let expected = "before *** correct-hors ***"
        for cut in 0...text.count {
            let (shown, found) = try masked([Array(text[..<cut]), Array(text[cut...])], of: ["correct-horse"])
            #expect(shown == expected)
            #expect(found == 2)
        }
        #expect(try masked(text.map { [$0] }, of: ["correct-horse"]).text == expected)
    }

    @Test("of secrets that overlap all is masked, as one")
    func overlaps() throws {
        #expect(try masked("xabcdefghijklmnopy", of: "abcdefghij", "ghijklmnop") == "x***y")
        #expect(try masked("xabcdefghijkly", of: "abcdefgh", "abcdefghijkl") == "x***y")
        #expect(try masked("xabcdefghijklmnopqy", of: "abcdefghijklmnopqr", "bcdefghi") == "xa***jklmnopqy")
        #expect(try masked("aaaaaaaaaaaaaaaaaaab", of: "aaaaaaaa") == "***b")
    }

    @Test("each line of a secret is masked by itself, but not what frames everybody's keys")
    func lines() throws {
        let key = "-----BEGIN KEY-----\nMIIEvQIBADANBg\nshort\nkqhkiG9w0BAQEF\n-----END KEY-----"
        #expect(try masked("> MIIEvQIBADANBg\n> short\n> kqhkiG9w0BAQEF", of: key) == "> ***\n> short\n> ***")
        #expect(try masked("-----BEGIN KEY-----", of: key) == "-----BEGIN KEY-----")
        #expect(try masked(key, of: key) == "***")
    }

    @Test("what only looks like a secret stays as it is, byte by byte")
    func bystanders() throws {
        let bytes = (0..<200_000).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ $0 / 97) & 0x7F }
        var pieces: [[UInt8]] = []
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = 1 + rest.count * 7 % 4_093
            pieces.append(Array(rest.prefix(count)))
            rest = rest.dropFirst(count)
        }
        let (text, found) = try masked(pieces, of: ["correct-horse", String(repeating: "battery\n", count: 400)])
        #expect(Array(text.utf8) == bytes)
        #expect(found == 0)
        let breaks = String(repeating: "Y29y\r\n\r\n\n", count: 5_000)
        #expect(try masked(breaks, of: "correct-horse") == breaks)
    }

    @Test("a program's logs hold neither a secret nor a form of it, and the outcome counts them")
    func logs() async throws {
        let bench = try Bench()
        let secret = "correct-horse-battery"
        let request = bench.script(
            """
            printf 'token=%s;' "$TOKEN"
            printf 'correct-'; printf 'horse-'; printf 'battery!'
            printf '%s' "$TOKEN" | base64
            echo "bad $TOKEN" >&2
            """
        ) {
            $0.environment["TOKEN"] = secret
            $0.secrets = [secret]
        }
        let outcome = try await bench.run(request)
        #expect(outcome.end == .exited(code: 0))
        #expect(bench.stdout == "token=***;***!***\n")
        #expect(bench.stderr == "bad ***\n")
        #expect(outcome.stdoutMasks == 3)
        #expect(outcome.stderrMasks == 1)
    }

    @Test("a secret that cannot be masked is refused before anything starts")
    func tooLong() throws {
        let bench = try Bench()
        let request = bench.script("true") { $0.secrets = [String(repeating: "x", count: 40_000)] }
        let error = #expect(throws: LaunchError.self) { try bench.launcher.launch(request) { _ in } }
        #expect(error?.code == .invalidRequest)
    }
}

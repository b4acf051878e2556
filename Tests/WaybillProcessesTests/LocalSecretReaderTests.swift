import Glibc
import SystemPackage
import Testing
import WaybillCore
import WaybillPorts
import WaybillProcesses
import WaybillTestKit

@Suite("Secrets of the machine")
struct LocalSecretReaderTests {
    private let folder = ScratchFolder()

    private func read(_ source: SecretSource, patience: Duration = .seconds(30)) throws(SecretError) -> String {
        try LocalSecretReader(root: folder.path, patience: patience).read(source)
    }

    private func code(_ source: SecretSource, patience: Duration = .seconds(30)) -> SecretError.Code? {
        do throws(SecretError) {
            _ = try read(source, patience: patience)
            return nil
        } catch {
            return error.code
        }
    }

    private func write(_ name: String, _ text: String, mode: mode_t = 0o600) {
        folder.write(name, text)
        chmod(folder.file(name).string, mode)
    }

    @Test(
        "a file's one final line end is no part of it",
        arguments: [
            ("swordfish", "swordfish"), ("swordfish\n", "swordfish"), ("swordfish\r\n", "swordfish"),
            ("swordfish\n\n", "swordfish\n"), (" sword fish ", " sword fish "),
        ])
    func finalFeed(text: String, secret: String) throws {
        write("key", text)
        #expect(try read(.file("key")) == secret)
        #expect(try read(.file(folder.file("key").string)) == secret)
    }

    @Test(
        "a file that others may read or change is refused", arguments: [0o640, 0o604, 0o620, 0o602, 0o644] as [mode_t])
    func openFiles(mode: mode_t) {
        write("key", "swordfish", mode: mode)
        #expect(code(.file("key")) == .tooOpen)
    }

    @Test(
        "what is no secret is refused",
        arguments: ["", "\n", "short", "seven77\n", "nul\u{0}inside", String(repeating: "x", count: 32_769)])
    func unusable(text: String) {
        write("key", text)
        #expect(code(.file("key")) == .unusable)
    }

    @Test("what is missing, or no file, says so")
    func missing() {
        #expect(code(.file("nothing")) == .missing)
        #expect(code(.file(".")) == .failed)
        #expect(code(.environment("WAYBILL_TEST_NO_SUCH_SECRET")) == .missing)
        #expect(code(.command(["no-such-program-anywhere"])) == .missing)
        folder.makeFIFO("fifo")
        chmod(folder.file("fifo").string, 0o600)
        #expect(code(.file("fifo")) == .failed)
    }

    @Test("a variable is taken as it is")
    func variable() throws {
        setenv("WAYBILL_TEST_SECRET_VARIABLE", "swordfish\n", 1)
        #expect(try read(.environment("WAYBILL_TEST_SECRET_VARIABLE")) == "swordfish\n")
    }

    @Test("a credential is a file in systemd's folder")
    func credential() throws {
        // Kept for the whole process: other tests have no use for it.
        _ = folder.makeFolder("credentials")
        write("credentials/forge", "swordfish\n", mode: 0o440)
        setenv("CREDENTIALS_DIRECTORY", folder.file("credentials").string, 1)
        defer { unsetenv("CREDENTIALS_DIRECTORY") }
        #expect(try read(.credential("forge")) == "swordfish")
        #expect(code(.credential("other")) == .missing)
    }

    @Test("a command runs in the tree without a shell, and only its output counts")
    func command() throws {
        write("key", "swordfish\n")
        #expect(try read(.command(["cat", "key"])) == "swordfish")
        #expect(try read(.command(["/bin/sh", "-c", "echo noise >&2; echo \"$0\"", "a $HOME b"])) == "a $HOME b")
    }

    @Test("a command that fails, prints too much or does not end is a failure, and leaves nothing behind")
    func failingCommands() {
        #expect(code(.command(["/bin/sh", "-c", "echo swordfish; exit 3"])) == .failed)
        #expect(code(.command(["/bin/sh", "-c", "echo swordfish; kill -9 $$"])) == .failed)
        #expect(code(.command(["cat", "/dev/zero"])) == .unusable)
        #expect(code(.command(["sleep", "3600"]), patience: .milliseconds(50)) == .failed)
        #expect(code(.command(["/bin/sh", "-c", "exec >&-; sleep 3600"]), patience: .milliseconds(50)) == .failed)
    }

    @Test("no message quotes a secret")
    func silence() {
        write("key", "swordfish\u{0}", mode: 0o600)
        do throws(SecretError) {
            _ = try read(.file("key"))
            Issue.record("it was taken")
        } catch {
            #expect(!error.message.contains("swordfish"))
        }
    }
}

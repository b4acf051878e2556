import ArgumentParser
import Testing
import WaybillCore

@testable import WaybillCommands

@Suite("The command line")
struct CommandLineToolTests {
    @Test(
        "-C and --json may stand before the command",
        arguments: [
            (["-C", "dir", "run", "x"], ["run", "-C", "dir", "x"]),
            (["--json", "-C", "dir", "list"], ["list", "--json", "-C", "dir"]),
            (["-Cdir", "list", "--json"], ["list", "-Cdir", "--json"]),
            (["--directory=dir", "show", "r"], ["show", "--directory=dir", "r"]),
            (["run", "x", "-C", "dir"], ["run", "x", "-C", "dir"]),
            (["--json", "--help"], ["--json", "--help"]),
            (["-C"], ["-C"]),
            ([], []),
        ])
    func order(given: [String], expected: [String]) {
        #expect(ArgumentOrder.optionsBehindCommand(given) == expected)
    }

    @Test("a directory is taken before and after the command alike")
    func directory() throws {
        for arguments in [["-C", "there", "list"], ["list", "-C", "there"]] {
            let command = try WaybillCommand.parseAsRoot(ArgumentOrder.optionsBehindCommand(arguments))
            #expect((command as? ListCommand)?.options.directory == "there")
        }
    }

    @Test("all commands of this version are there")
    func commands() {
        #expect(
            Set(WaybillCommand.names) == [
                "help", "init", "validate", "explain", "test", "policy", "emit", "events", "schema", "eval", "graph",
                "run",
                "daemon", "reconcile", "list", "show",
                "waits", "logs", "snapshots", "verify", "doctor", "answer", "approve", "reject", "cancel", "pause",
                "resume", "retry", "snapshot", "keys", "erase", "repair", "secrets",
            ])
    }

    @Test("an answer is given in exactly one way")
    func oneAnswer() throws {
        #expect(throws: (any Error).self) { try WaybillCommand.parseAsRoot(["answer", "r", "k"]) }
        #expect(throws: (any Error).self) {
            try WaybillCommand.parseAsRoot(["answer", "r", "k", "--text", "a", "--json-value", "1"])
        }
        let command = try WaybillCommand.parseAsRoot(["answer", "r", "k", "--text", "a"])
        #expect((command as? AnswerCommand)?.text == "a")
    }

    @Test(
        "a run's status decides about the exit status",
        arguments: [
            ("completed", 0), ("failed", 1), ("waiting", 3), ("paused", 3), ("running", 3), ("cancelled", 4),
            ("quarantined", 1), ("unreadable", 1), ("of-a-newer-version", 1),
        ] as [(String, Int32)])
    func exitStatus(status: String, code: Int32) {
        #expect(ExitStatus(runStatus: status).rawValue == code)
    }

    @Test("an unknown command is named before its arguments are looked at")
    func unknownCommand() {
        #expect(ArgumentOrder.unknownCommand(["lst", "--bogus"]) == "lst")
        #expect(ArgumentOrder.unknownCommand(["list"]) == nil)
        #expect(ArgumentOrder.unknownCommand(["--version"]) == nil)
        #expect(ArgumentOrder.unknownCommand([]) == nil)
        #expect(ArgumentOrder.unknownCommand(["help", "zork"]) == "zork")
        #expect(ArgumentOrder.unknownCommand(["help", "--json", "list"]) == nil)
        #expect(ArgumentOrder.unknownCommand(["help"]) == nil)
    }
}

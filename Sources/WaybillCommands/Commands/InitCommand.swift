import ArgumentParser
import SystemPackage
import WaybillCore
import WaybillPorts
import WaybillStore

struct InitCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "init", abstract: "Make a small tree that validates and runs as it stands.")

    @OptionGroup var options: GlobalOptions
    @Argument(help: "Where; the working directory unless said.", completion: .directory)
    var directory: String?

    func run() throws {
        let given = FilePath(options.directory ?? ".").pushing(FilePath(directory ?? "."))
        let fileSystem = LocalFileSystem()
        try fileSystem.createDirectories(given)
        let path = try TreeSearch.real(given.string)
        guard let root = try fileSystem.openDirectory(path) else {
            throw CommandError("no-tree", "\(path) is gone")
        }
        if let entries = try root.entries("workflows", limit: 100_000), !entries.isEmpty {
            throw CommandError(
                "exists", "there is a tree already: workflows/ is not empty", place: path.string,
                hint: "nothing was changed; `waybill -C \(path) validate` looks at it")
        }
        var written: [String] = []
        for (name, text) in Starter.files {
            if try Self.write(text, to: FilePath(name), in: root) {
                written.append(name)
            } else {
                options.console.note("kept \(name) as it is")
            }
        }
        report(written, path)
    }

    /// False if there is such a file already.
    private static func write(
        _ text: String, to path: FilePath, in root: any Directory
    ) throws(FileSystemError) -> Bool {
        try root.createDirectories(path.removingLastComponent())
        do throws(FileSystemError) {
            try root.write(Array(text.utf8), toNew: path, permissions: 0o644, durability: .full)
            return true
        } catch {
            if error.code == .exists { return false }
            throw error
        }
    }

    private func report(_ written: [String], _ path: FilePath) {
        let target = directory ?? options.directory
        let place = target.map { " -C \($0)" } ?? ""
        let next = ["waybill\(place) run hello", "waybill\(place) waits"]
        options.console.print(
            [
                "root": .string(path.string), "files": .list(written.map(Value.string)),
                "next": .list(next.map(Value.string)),
            ],
            text: (written.map { "wrote \(path.appending($0))" } + ["", "next:"] + next.map { "  \($0)" })
                .joined(separator: "\n"))
    }
}

/// What a new tree holds.
enum Starter {
    static let files = [("workflows/hello.yaml", hello), (".gitignore", ignored)]

    static let hello = """
        # A first workflow: a program, a question to a person, and what comes of it.
        #
        #   waybill run hello --input name=Ada
        #   waybill waits                         every open question, and how to answer it
        #
        # Each run is a folder: look at it with `ls runs/*` and `jq . runs/*/run.json`.
        kind: Workflow
        name: hello

        inputs:
          name: {type: string, minLength: 1, default: world}

        steps:
          # An argv: no shell, so nothing in the input can be taken for a command.
          - id: greet
            run: [echo, "Hello, ${{ inputs.name }}!"]
            timeout: 10s
            output: text

          # Answered by `waybill approve <run>`, or by a file:
          #   echo yes > x.tmp && mv x.tmp runs/<run>/inbox/approve.txt
          - id: approve
            ask:
              prompt: "Keep the greeting \\"${{ steps.greet.output }}\\"?"
              approval: true
              timeout: 48h
              default: {approve: false}

          - id: keep
            if: steps.approve.output.approve
            run: {argv: [tee, -a, greetings.txt], stdin: "${{ steps.greet.output }}\\n"}
            timeout: 10s

        outputs:
          greeting: "${{ steps.greet.output }}"
          kept: "${{ steps.approve.output.approve }}"

        """

    static let ignored = """
        # Runs and what can be rebuilt are no part of the desired state.
        /runs/
        /.waybill/

        """
}

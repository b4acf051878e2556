import SystemPackage
import WaybillCore
import WaybillEngine
import WaybillManifests
import WaybillPorts
import WaybillStore

/// Between an attempt's recorded intent and its process: what is launched, and what it left.
struct AttemptHost: Sendable {
    static let logs = (stdout: "stdout.log", stderr: "stderr.log", exit: "exit.json", output: "output")
    private static let scratch = "scratch"
    private static let kept = "artifacts"
    /// Bytes.
    private static let largestArtifact: Int64 = 1 << 40

    let tree: Tree
    let run: RunID
    let folder: RunFolder
    let definition: RunDefinition

    // MARK: - Launching

    /// Makes the attempt's folder; false if it is there already, so that the attempt may have been launched.
    func prepare(_ reference: AttemptReference) throws(RuntimeError) -> Bool {
        do throws(FileSystemError) {
            let path = path(of: reference)
            try folder.directory.createDirectories(path.removingLastComponent())
            return try folder.directory.createDirectory(path, permissions: Permissions.folder)
        } catch {
            throw RuntimeError(StoreError(error))
        }
    }

    /// Whether a file is there that is created before an attempt begins.
    func wasLaunched(_ reference: AttemptReference, mark: String) -> Bool {
        let mark = path(of: reference).appending(mark)
        // A folder that cannot be read must not make a step run twice.
        guard let status = try? folder.directory.status(mark) else {
            return (try? folder.directory.status(FilePath("."))) == nil
        }
        return status.kind == .file
    }

    func request(_ attempt: Attempt) throws(RuntimeError) -> LaunchRequest {
        let reference = attempt.reference
        let intent = attempt.intent
        let absolute = tree.layout.folder(of: run).pushing(path(of: reference))
        let argv = intent["argv"]?.listValue?.compactMap(\.stringValue) ?? []
        var request = LaunchRequest(
            argv: argv, environment: try environment(of: attempt, in: absolute),
            workingDirectory: try workingDirectory(intent, in: absolute))
        if let program = argv.first, let frozen = SourceTree.frozenPath(of: program) {
            request.executable = sourceFolder(of: intent).pushing(frozen)
        }
        if let input = Payload.read("stdin", from: intent) { request.input = try bytes(of: input) }
        request.stdoutPath = absolute.appending(Self.logs.stdout)
        request.stderrPath = absolute.appending(Self.logs.stderr)
        request.exitFile = absolute.appending(Self.logs.exit)
        request.timeout = intent["timeout"]?.stringValue.flatMap(Duration.init(text:))
        request.confinement = confinement(in: absolute)
        request.limits = ProcessLimits(record: intent["limits"])
        return request
    }

    /// Steps do not change the tree's own folders, apart from their attempt's.
    private func confinement(in attempt: FilePath) -> Confinement? {
        let layout = tree.layout
        let sandbox = definition.settings.sandbox
        guard sandbox != .off else { return nil }
        return Confinement(
            closed: [layout.runs, layout.root.appending("workflows"), layout.root.appending("hooks"), layout.caches],
            open: [attempt], isStrict: sandbox == .strict)
    }

    func bytes(of payload: Payload) throws(RuntimeError) -> [UInt8] {
        Array((try value(of: payload)?.stringValue ?? "").utf8)
    }

    private func value(of payload: Payload) throws(RuntimeError) -> Value? {
        switch payload {
        case .inline(let value): return value
        // Payloads are stored as JSON; standard input is a JSON string then.
        case .artifact(let digest, let size): return try stored(digest, size)
        case .sealed(let digest, let size): return Payload.opened(try stored(digest, size))
        }
    }

    private func stored(_ digest: Digest, _ size: Int) throws(RuntimeError) -> Value? {
        do throws(StoreError) {
            return try tree.artifacts.get(digest, run: run, limit: size).flatMap { try? JSON.parse($0) }
        } catch {
            throw RuntimeError(error)
        }
    }

    /// `definition/` and the folder in it of the file that the step is written in: a capability's, or the workflow's.
    private func sourceFolder(of intent: Object) -> FilePath {
        let source = intent["source"]?.stringValue ?? definition.workflow.sourcePath
        return tree.layout.folder(of: run).pushing(RunFolder.definition)
            .pushing(FilePath(source).removingLastComponent())
    }

    private func environment(
        of attempt: Attempt, in folder: FilePath
    ) throws(RuntimeError) -> [String: String] {
        var environment = tree.baseEnvironment
        let sealed = try Payload.read("sealedEnv", from: attempt.intent).map { (payload) throws(RuntimeError) in
            try value(of: payload)
        }
        for members in [attempt.intent["env"], sealed ?? nil] {
            for (name, value) in members?.objectValue ?? Object() { environment[name] = value.stringValue }
        }
        let reference = attempt.reference
        // What is undone was done under that run's id, and may be found by it.
        environment["WAYBILL_RUN_ID"] = attempt.intent["undoes"]?.stringValue ?? run.text
        environment["WAYBILL_STEP"] = reference.step
        environment["WAYBILL_ATTEMPT"] = String(reference.attempt)
        // A step that serves another one looks for what that left, under the key it had.
        environment["WAYBILL_IDEMPOTENCY_KEY"] =
            attempt.intent["idempotencyKey"]?.stringValue
            ?? IdempotencyKey.make(run: run.text, address: reference.step, visit: reference.visit)
        environment["WAYBILL_OUTPUT"] = folder.appending(Self.logs.output).string
        environment["WAYBILL_RUN_DIR"] = tree.layout.folder(of: run).string
        environment["WAYBILL_SOURCE_DIR"] = sourceFolder(of: attempt.intent).string
        return environment
    }

    private func workingDirectory(_ intent: Object, in absolute: FilePath) throws(RuntimeError) -> FilePath {
        if intent["scratch"]?.boolValue == true {
            do throws(FileSystemError) {
                try tree.fileSystem.createDirectories(absolute.appending(Self.scratch))
            } catch {
                throw RuntimeError(StoreError(error))
            }
            return absolute.appending(Self.scratch)
        }
        guard let path = intent["cwd"]?.stringValue else { return tree.layout.root }
        return tree.layout.root.pushing(FilePath(path))
    }

    // MARK: - Collecting

    func exitFile(of reference: AttemptReference) -> FilePath {
        tree.layout.folder(of: run).pushing(path(of: reference)).appending(Self.logs.exit)
    }

    /// The outcome that a launcher, of this process or an earlier one, left in the attempt's folder; nil if none.
    func recordedOutcome(of reference: AttemptReference) throws(RuntimeError) -> ProcessOutcome? {
        do throws(StoreError) {
            guard let bytes = try folder.read(path(of: reference).appending(Self.logs.exit), limit: 1 << 20) else {
                return nil
            }
            // A file that is no exit record says nothing: the outcome is then unknown.
            guard let record = try? JSON.parse(bytes) else { return nil }
            return try? ProcessOutcome(record: record)
        } catch {
            throw RuntimeError(error)
        }
    }

    /// Reads what an attempt left: its output, and the files it was to make.
    func result(of attempt: Attempt, _ outcome: ProcessOutcome, _ secrets: SecretKnowledge) -> AttemptResult {
        let reference = attempt.reference
        var result = AttemptResult(
            outcome: Self.outcome(outcome), startedAt: outcome.startedAt, endedAt: outcome.endedAt)
        result.secretProblem = removeLeakingOutput(of: attempt, secrets)
        guard let step = definition.workflow.step(at: reference.step)?.performed else { return result }
        guard case .run(let action) = step.action, case .exited(let code) = result.outcome,
            action.successCodes.contains(code)
        else { return result }
        if let output = step.output {
            result.output = read(output, of: reference, outcome)
            if output.source == .stdout, outcome.stdoutMasks > 0 {
                result.secretProblem = "the output holds a secret of the step; stdout.log has *** in its place"
            }
        }
        if result.secretProblem == nil {
            result.secretProblem = leakingArtifact(of: attempt, step.artifacts, secrets)
        }
        guard result.secretProblem == nil else { return result }
        do throws(RuntimeError) {
            result.artifacts = try collect(step.artifacts, of: attempt)
        } catch {
            result.artifactProblem = error.message
        }
        return result
    }

    private static func outcome(_ outcome: ProcessOutcome) -> AttemptResult.Outcome {
        switch (outcome.stop, outcome.end) {
        case (_, .failedToStart(_, let message)): .notStarted(message)
        case (.timeout, _): .timedOut
        case (.request, _): .stopped
        case (nil, .exited(let code)):
            outcome.limit.map { .exceeded($0, signal: nil, exitCode: Int(code)) } ?? .exited(Int(code))
        case (nil, .signalled(let signal, _)):
            outcome.limit.map { .exceeded($0, signal: Int(signal), exitCode: nil) } ?? .signalled(Int(signal))
        }
    }

    private func read(
        _ output: OutputDefinition, of reference: AttemptReference, _ outcome: ProcessOutcome
    ) -> AttemptResult.Output {
        if output.source == .stdout, outcome.stdoutTruncated { return .missing("was cut off at the log's limit") }
        let name = output.source == .file ? Self.logs.output : Self.logs.stdout
        let path = path(of: reference).appending(name)
        do throws(FileSystemError) {
            guard let bytes = try folder.directory.read(path, limit: output.maxSize) else {
                return .missing("was not written")
            }
            return .bytes(bytes)
        } catch  where error.code == .tooLarge {
            let size = (try? folder.directory.status(path))?.size ?? 0
            return .tooLarge(Int(size))
        } catch {
            return .missing("cannot be read: \(error.description)")
        }
    }

    private func collect(_ patterns: [String], of attempt: Attempt) throws(RuntimeError) -> [ArtifactRecord] {
        guard !patterns.isEmpty else { return [] }
        let (directory, names) = try artifacts(patterns, of: attempt)
        do throws(StoreError) {
            let contents = names.map {
                ArtifactContent.file(FilePath($0), in: directory, limit: Self.largestArtifact)
            }
            let kept = try tree.artifacts.put(contents, run: run)
            var records: [ArtifactRecord] = []
            for (name, artifact) in zip(names, kept) {
                records.append(try place(artifact, as: name, of: attempt.reference))
            }
            return records
        } catch {
            throw RuntimeError(error)
        }
    }

    /// The names of the files that an attempt was to make, below the folder that it worked in.
    func artifacts(
        _ patterns: [String], of attempt: Attempt
    ) throws(RuntimeError) -> (directory: any Directory, names: [String]) {
        let absolute = tree.layout.folder(of: run).pushing(path(of: attempt.reference))
        let working = try workingDirectory(attempt.intent, in: absolute)
        do {
            guard let directory = try tree.fileSystem.openDirectory(working) else {
                throw FileSystemError(.notFound, "open", working)
            }
            var names: [String] = []
            for pattern in patterns {
                let found = try Self.glob(pattern).files(in: directory)
                if found.isEmpty { throw RuntimeError(.storage, "artifacts: no file matches '\(pattern)'") }
                names += found.filter { !names.contains($0) }
            }
            return (directory, names)
        } catch {
            throw RuntimeError(wrapping: error)
        }
    }

    private static func glob(_ pattern: String) throws(RuntimeError) -> Glob {
        do throws(Glob.Problem) {
            return try Glob(pattern)
        } catch {
            throw RuntimeError(.storage, "artifacts: \(error.message)")
        }
    }

    /// Places what was kept in the attempt's folder under its own name.
    private func place(
        _ artifact: Artifact, as name: String, of reference: AttemptReference
    ) throws(StoreError) -> ArtifactRecord {
        let place = path(of: reference).appending(Self.kept).pushing(FilePath(name))
        try folder.place(artifact.path, at: place)
        let path = tree.layout.runsPrefix.appending(run.text).pushing(place)
        return ArtifactRecord(
            name: name, digest: artifact.sha256, size: Int(artifact.size), mediaType: MediaType.of(name),
            path: path.string)
    }

    func path(of reference: AttemptReference) -> FilePath {
        RunFolder.attempt(reference.step, visit: reference.visit, attempt: reference.attempt)
    }
}

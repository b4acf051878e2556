import Synchronization
import WaybillCore
import WaybillManifests

extension TestStub {
    /// What an attempt leaves that this stub stands for.
    func result(
        for step: StepDefinition, of address: String, from start: Timestamp, to end: Timestamp
    ) throws(TestProblem) -> AttemptResult {
        var result = AttemptResult(outcome: .exited(exitCode ?? 0), startedAt: start, endedAt: end)
        if let error {
            result.outcome = error.kind == "timeout" ? .timedOut : .notStarted(error.message)
            return result
        }
        if let signal {
            result.outcome = .signalled(signal)
            return result
        }
        if case .http(let action) = step.action {
            let expected = action.expect.first?.range.lowerBound ?? 200
            var headers = headers.map { (name: $0.key, value: $0.value.stringValue ?? "") }
            if output != nil { headers.append(("Content-Type", "application/json")) }
            result.outcome = .responded(
                HTTPReply(status: status ?? expected, headers: headers, body: output.map { JSON.compact($0) } ?? []))
            return result
        }
        result.artifacts = artifacts.map { name in
            ArtifactRecord(
                name: name, digest: Digest.sha256(name), size: name.utf8.count,
                mediaType: "application/octet-stream", path: "artifacts/\(name)")
        }
        guard let definition = step.output, exitCode == nil || exitCode == 0 else { return result }
        guard let output else {
            throw TestProblem("\(address) has an output: give it a stub with `output`")
        }
        result.output = .bytes(try bytes(of: output, as: definition.format, address))
        return result
    }

    private func bytes(
        of output: Value, as format: OutputDefinition.Format, _ address: String
    ) throws(TestProblem) -> [UInt8] {
        switch format {
        case .json: return JSON.compact(output)
        case .text:
            guard let text = output.stringValue else {
                throw TestProblem("the output of \(address) is a text, and its stub gives \(output.kindName)")
            }
            return Array(text.utf8)
        case .lines:
            guard let lines = output.listValue?.compactMap(\.stringValue), lines.count == output.listValue?.count else {
                throw TestProblem("the output of \(address) is a list of lines, and its stub gives \(output.kindName)")
            }
            return Array(lines.map { $0 + "\n" }.joined().utf8)
        }
    }

    /// How the sub-run ends that this stub stands for.
    func childEnd(_ run: String) -> ChildEnd {
        let failure = error.map { Failure(ErrorKind(rawValue: $0.kind) ?? .failed, $0.message) }
        return ChildEnd(
            run: run, status: failure == nil ? .completed : .failed, outputs: output, error: failure,
            head: Digest.sha256(run))
    }
}

/// The payloads that a case's run would keep in artifacts.
final class TestPayloads: PayloadSource {
    private let blobs = Mutex<[Digest: [UInt8]]>([:])

    func keep(_ new: [Blob]) {
        guard !new.isEmpty else { return }
        blobs.withLock { kept in for blob in new { kept[blob.digest] = blob.bytes } }
    }

    func payload(_ digest: Digest) -> Value? {
        blobs.withLock { $0[digest] }.flatMap { try? JSON.parse($0) }
    }
}

import SystemPackage
import WaybillCore
import WaybillEngine
import WaybillManifests
import WaybillPorts
import WaybillStore

/// Between the names of secrets in an attempt's intent and what holds them: a process's environment, a request's headers,
/// and, by mistake, what it leaves.
extension AttemptHost {
    /// Gives a process its secrets, through its environment or descriptors alone: arguments are everybody's to see.
    func add(_ secrets: AttemptSecrets, to request: inout LaunchRequest, of attempt: Attempt) {
        for binding in SecretUse.bindings(in: attempt.intent) {
            guard let value = secrets.values[binding.name] else { continue }
            request.environment[binding.variable] = binding.isDescriptor ? request.addFile(value) : value
        }
        request.secrets = secrets.values.values.sorted { $0.precedesInCodePoints($1) }
    }

    /// Puts secrets into the headers, the URL and the body that hold them.
    ///
    /// - Returns: what finds them in what comes back.
    /// - Throws: where one cannot stand in a header (RFC 9110, section 5.5), or makes the URL too long.
    func add(
        _ secrets: AttemptSecrets, to request: inout HTTPRequestSpec, of attempt: Attempt
    ) throws(SecretError) -> SecretMasks {
        for header in SecretUse.headers(in: attempt.intent) {
            let value = secrets.values[header.secret] ?? ""
            guard value.utf8.allSatisfy({ $0 >= 0x20 && $0 != 0x7F }) else {
                throw SecretError(
                    .unusable,
                    "the secret '\(header.secret)' has a line break or another control character, which no header may have"
                )
            }
            request.headers.removeAll { $0.name.lowercased() == header.name.lowercased() }
            request.headers.append(HTTPField(header.name, header.text(value)))
        }
        guard let inURL = SecretUse.urlPlaces(in: attempt.intent),
            let inBody = SecretUse.bodyPlaces(in: attempt.intent),
            let url = RequestText.fill(Array(request.url.utf8), inURL, with: secrets.values),
            let body = RequestText.fill(request.body, inBody, with: secrets.values)
        else { throw SecretError(.unusable, "the record of the request does not say where its secrets belong") }
        guard url.count <= HTTPIntent.urlLimitBytes else {
            throw SecretError(.unusable, "with its secrets the URL has more than \(HTTPIntent.urlLimitBytes) bytes")
        }
        (request.url, request.body) = (String(decoding: url, as: UTF8.self), body)
        return try secrets.masks(in: inURL + inBody)
    }

    /// Removes the output file of an attempt if a secret is in it, or if nobody can tell.
    ///
    /// - Returns: what people are told, if it was removed.
    func removeLeakingOutput(of attempt: Attempt, _ knowledge: SecretKnowledge) -> String? {
        if case .none = knowledge { return nil }
        let path = path(of: attempt.reference).appending(Self.logs.output)
        let problem: String
        do throws(FileSystemError) {
            guard let file = try folder.directory.open(path, .read) else { return nil }
            defer { file.close() }
            guard let found = try problemOf(file, knowledge) else { return nil }
            problem = "$WAYBILL_OUTPUT \(found)"
        } catch {
            problem = "$WAYBILL_OUTPUT cannot be searched for secrets: \(error.description)"
        }
        _ = try? folder.directory.remove(path)
        return problem
    }

    /// What people are told if an artifact of an attempt holds a secret, or if nobody can tell; nil if all may be kept.
    func leakingArtifact(of attempt: Attempt, _ patterns: [String], _ knowledge: SecretKnowledge) -> String? {
        if case .none = knowledge { return nil }
        // What cannot be found is said by whoever wants to keep it.
        guard !patterns.isEmpty, let (directory, names) = try? artifacts(patterns, of: attempt) else { return nil }
        for name in names {
            do throws(FileSystemError) {
                guard let file = try directory.open(FilePath(name), .read) else { continue }
                defer { file.close() }
                if let problem = try problemOf(file, knowledge) { return "the artifact \(name) \(problem)" }
            } catch {
                return "the artifact \(name) cannot be searched for secrets: \(error.description)"
            }
        }
        return nil
    }

    /// Why a file that an attempt left is not kept; nil if it may be.
    private func problemOf(_ file: any File, _ knowledge: SecretKnowledge) throws(FileSystemError) -> String? {
        switch knowledge {
        case .none: nil
        case .known(let masks): try masks.isFound(in: file) ? "holds a secret of the step and was not kept" : nil
        case .lost(let reason): "cannot be searched for secrets and was not kept: \(reason)"
        }
    }
}

extension HTTPOutcome {
    /// The same without the secrets that the server, or what was in between, sent back.
    func masked(by masks: SecretMasks) -> HTTPOutcome {
        var outcome = self
        switch result {
        case .success(var response):
            // Without memory to look for them nothing may be kept.
            response.body = masks.masked(response.body) ?? []
            response.headers = response.headers.map { HTTPField($0.name, masks.masked($0.value)) }
            outcome.result = .success(response)
        case .failure(var failure):
            failure.message = masks.masked(failure.message)
            outcome.result = .failure(failure)
        }
        return outcome
    }
}

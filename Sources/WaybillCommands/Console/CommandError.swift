import WaybillCore
import WaybillEngine
import WaybillManifests
import WaybillPorts
import WaybillRuntime
import WaybillStore

/// Why a command could not do what it was asked to: what, where, why, and what to do.
struct CommandError: Error, Sendable {
    /// A stable word for programs, such as `unknown-run`.
    var code: String
    /// What and why, one sentence.
    var message: String
    /// The file, folder or run it is about.
    var place: String?
    /// What to do about it, one sentence.
    var hint: String?
    var status: ExitStatus
    /// Everything that is wrong with manifests, where that is the reason.
    var diagnostics: [Diagnostic] = []

    init(
        _ code: String, _ message: String, place: String? = nil, hint: String? = nil, status: ExitStatus = .failed,
        diagnostics: [Diagnostic] = []
    ) {
        self.code = code
        self.message = message
        self.place = place
        self.hint = hint
        self.status = status
        self.diagnostics = diagnostics
    }

    /// A mistake in the command line that the parser cannot know.
    static func usage(_ message: String, hint: String? = nil) -> CommandError {
        CommandError("usage", message, hint: hint, status: .usage)
    }

    /// For people, without a final newline.
    var text: String {
        var lines = diagnostics.map(\.text)
        lines.append("error: \(message)")
        if let place { lines.append("  at: \(place)") }
        if let hint { lines.append("  hint: \(hint)") }
        return lines.joined(separator: "\n")
    }

    /// For programs: `{"error":{...}}`.
    var value: Value {
        var error: Object = [
            "code": .string(code), "message": .string(message), "exit": .int(Int64(status.rawValue)),
            "where": place.map(Value.string) ?? .null, "hint": hint.map(Value.string) ?? .null,
        ]
        if !diagnostics.isEmpty { error["diagnostics"] = .list(diagnostics.map(\.value)) }
        return ["error": .object(error)]
    }
}

// MARK: - What others throw, in a command's terms

extension CommandError {
    init(_ error: FileSystemError) {
        let hint: String? =
            switch error.code {
            case .noSpace: "make room on the disk and try again"
            case .denied: "look at the owner and the permissions of the folder"
            case .tooManyOpenFiles: "raise the limit of open files (ulimit -n)"
            default: nil
            }
        self.init(error.code.rawValue, error.description, hint: hint)
    }

    init(_ error: StoreError) {
        switch error.code {
        case .locked:
            self.init(
                "busy", error.message, hint: "try again, or leave it to the process that is at it", status: .tryAgain)
        case .damaged, .mismatch:
            let entry = error.seq.map { "entry \($0): " } ?? ""
            self.init(
                error.code.rawValue, entry + error.message,
                hint: "`waybill verify` says what is wrong; nothing was changed")
        default:
            if let cause = error.cause {
                self.init(cause)
                message = error.message
            } else {
                self.init(error.code.rawValue, error.message)
            }
        }
    }

    init(_ error: RuntimeError) {
        let status: ExitStatus
        var hint: String?
        switch error.code {
        case .unknownRun, .unknownWorkflow, .invalidManifest, .invalidInputs, .noTree: status = .usage
        case .busy:
            status = .tryAgain
            hint = "try again, or leave it to the process that is at it"
        case .conflict:
            status = .failed
            hint = "take another --id, or the inputs it was started with"
        case .quarantined:
            status = .failed
            hint = "`waybill verify` says what is wrong; nothing was changed"
        case .policy, .skipped, .storage, .internal: status = .failed
        }
        let entry = error.seq.map { "entry \($0): " } ?? ""
        self.init(
            Self.dashed(error.code.rawValue), entry + error.message, hint: hint, status: status,
            diagnostics: error.diagnostics)
    }

    init(_ error: EngineError) {
        self.init(
            Self.dashed(error.code.rawValue), error.message, hint: "`waybill verify` says whether the ledger is sound")
    }

    init(_ error: JSONError, in place: String) {
        self.init(
            "syntax", "it is no valid JSON: \(error.message)", place: "\(place):\(error.line):\(error.column)",
            status: .usage)
    }

    init(_ error: YAMLError, in place: String) {
        self.init(
            "syntax", error.message, place: error.mark.place(in: place).description, hint: error.hint, status: .usage)
    }

    /// Any error at all; nil for those the argument parser knows better.
    init?(any error: any Error) {
        switch error {
        case let error as CommandError: self = error
        case let error as RuntimeError: self.init(error)
        case let error as StoreError: self.init(error)
        case let error as FileSystemError: self.init(error)
        case let error as EngineError: self.init(error)
        default: return nil
        }
    }

    /// `unknownRun` as `unknown-run`.
    private static func dashed(_ name: String) -> String {
        var text = ""
        for character in name {
            if character.isUppercase { text += "-" }
            text += character.lowercased()
        }
        return text
    }
}

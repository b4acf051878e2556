import WaybillCore

/// Collects what is wrong in one file.
final class Report {
    let path: String
    let bytes: [UInt8]
    private(set) var diagnostics: [Diagnostic] = []

    init(path: String, bytes: [UInt8]) {
        self.path = path
        self.bytes = bytes
    }

    var hasErrors: Bool { diagnostics.contains { $0.level == .error } }

    func error(_ message: String, at mark: YAMLMark, hint: String? = nil) {
        add(.error, .manifest, message, at: mark, hint: hint)
    }

    func warning(_ kind: Diagnostic.Kind, _ message: String, at mark: YAMLMark, hint: String? = nil) {
        add(.warning, kind, message, at: mark, hint: hint)
    }

    func add(_ diagnostics: [Diagnostic]) { self.diagnostics += diagnostics }

    private func add(
        _ level: Diagnostic.Level, _ kind: Diagnostic.Kind, _ message: String, at mark: YAMLMark, hint: String?
    ) {
        diagnostics.append(
            Diagnostic(level: level, kind: kind, message: message, place: mark.place(in: path), hint: hint))
    }

    func place(_ mark: YAMLMark) -> SourcePlace { mark.place(in: path) }
}

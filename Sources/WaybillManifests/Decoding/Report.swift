import WaybillCore
import WaybillExpressions

/// Collects what is wrong in one file. Whoever reads the file has it alone: files are handed from one thread to another
/// as a whole, and what was collected is looked at once all are read.
final class Report: @unchecked Sendable {
    let path: String
    let bytes: [UInt8]
    private(set) var diagnostics: [Diagnostic] = []
    /// Counted once, and only where a place inside a scalar asks for it.
    private lazy var lines = SourceLines(bytes)

    init(path: String, bytes: [UInt8]) {
        self.path = path
        self.bytes = bytes
    }

    /// Enough to work on; a file with more is most likely no manifest at all.
    private static let most = 500
    private(set) var hasErrors = false

    /// Whether the file is refused, and nothing else that is found in it will be told.
    var isClosed: Bool { hasErrors && diagnostics.count > Self.most }

    // A hint may compare thousands of names: it is asked for only where it is told.

    func error(_ message: String, at place: SourcePlace?, hint: @autoclosure () -> String? = nil) {
        add(Diagnostic(message: message, place: place, hint: isTelling ? hint() : nil))
    }

    func error(_ message: String, at mark: YAMLMark, hint: @autoclosure () -> String? = nil) {
        add(.error, .manifest, message, at: mark, hint: isTelling ? hint() : nil)
    }

    func warning(
        _ kind: Diagnostic.Kind, _ message: String, at mark: YAMLMark, hint: @autoclosure () -> String? = nil
    ) {
        add(.warning, kind, message, at: mark, hint: isTelling ? hint() : nil)
    }

    func add(_ diagnostics: [Diagnostic]) {
        for diagnostic in diagnostics { add(diagnostic) }
    }

    private var isTelling: Bool { diagnostics.count < Self.most }

    private func add(_ diagnostic: Diagnostic) {
        if diagnostic.level == .error { hasErrors = true }
        if isTelling {
            diagnostics.append(diagnostic)
        } else if diagnostics.count == Self.most {
            diagnostics.append(
                Diagnostic(level: .note, message: "there is more than this wrong", place: diagnostic.place))
        }
    }

    private func add(
        _ level: Diagnostic.Level, _ kind: Diagnostic.Kind, _ message: String, at mark: YAMLMark, hint: String?
    ) {
        add(Diagnostic(level: level, kind: kind, message: message, place: mark.place(in: path), hint: hint))
    }

    func place(_ mark: YAMLMark) -> SourcePlace { mark.place(in: path) }

    /// Leads from offsets in a scalar's text to the file.
    func places(of scalar: YAMLScalar, at mark: YAMLMark) -> PlaceMap {
        guard scalar.isDirect else { return ScalarPlaces.map(of: scalar, at: mark, in: lines, file: path) }
        var place = place(mark)
        if scalar.style != .plain { place.column += 1 }
        return PlaceMap(text: scalar.text, place: place)
    }
}

import Synchronization
import WaybillCore

/// What was read of manifests before, so that a catalog costs little where few files have changed.
///
/// A file is read again when its bytes are others, or when something that it asked about is: whether a file stands at a
/// path, which capability a reference resolves to, which outputs a workflow has. So a catalog is the same with it or without.
package final class ManifestCache: Sendable {
    private let manifests = Mutex<[String: ReadManifest]>([:])

    package init() {}

    var known: [String: ReadManifest] { manifests.withLock { $0 } }

    /// Has it know these manifests, by path, and no others.
    func keep(_ read: [String: ReadManifest]) { manifests.withLock { $0 = read } }

    /// Has it know a manifest that was read again.
    func keep(_ manifest: ReadManifest) { manifests.withLock { $0[manifest.file.path] = manifest } }
}

/// A manifest file that was read: whole, or its capabilities alone as long as nobody knows those of all files.
struct ReadManifest: Sendable {
    let file: SourceFile
    /// What it holds of capabilities, whether or not the rest of it is sound.
    let capabilities: [ManifestDocument]
    /// Tells two readings apart that may have come to different capabilities.
    let reading: UInt64
    private let questions: Questions
    private(set) var reader: ManifestReader
    private(set) var isWhole = false

    private static let readings = Atomic<UInt64>(0)

    /// Reads capabilities: what a step gets from one is known once all of them are read.
    init(_ file: SourceFile, exists: @escaping @Sendable (String) -> Bool) {
        let questions = Questions()
        var reader = ManifestReader(file: file, exists: questions.noting(exists))
        reader.read([.capability], capability: { _ in nil })
        self.file = file
        self.questions = questions
        self.reader = reader
        capabilities = reader.documents.filter { $0.kind == .capability }
        reading = Self.readings.wrappingAdd(1, ordering: .relaxed).newValue
    }

    /// Reads everything else.
    mutating func complete(_ capabilities: CapabilityIndex, _ outputs: [String: [String]]) {
        let questions = questions
        reader.read(
            [.workflow, .policy, .run, .settings, .test],
            capability: { questions.resolve($0, in: capabilities) }, outputs: { questions.outputs(of: $0, in: outputs) }
        )
        reader.setAsideIfWrong()
        reader.forgetSources()
        isWhole = true
    }

    /// Whether it would say the same of what capabilities there are, as far as files are concerned.
    func holds(for file: SourceFile, exists: (String) -> Bool) -> Bool {
        self.file.bytes == file.bytes && questions.hold(exists: exists)
    }

    /// Whether the rest of it would be the same, too.
    func holds(_ capabilities: CapabilityIndex, _ outputs: [String: [String]]) -> Bool {
        questions.hold(capabilities, outputs)
    }
}

/// What a file asked about others while it was read, and what it was told.
private final class Questions: @unchecked Sendable {
    // One thread reads a file at a time, and nobody asks for these before it is done.
    private var files: [String: Bool] = [:]
    private var capabilities: [CapabilityReference: UInt64?] = [:]
    private var outputs: [String: [String]?] = [:]

    func noting(_ exists: @escaping @Sendable (String) -> Bool) -> @Sendable (String) -> Bool {
        { path in
            let answer = exists(path)
            self.files[path] = answer
            return answer
        }
    }

    func resolve(_ reference: CapabilityReference, in index: CapabilityIndex) -> CapabilityDefinition? {
        let entry = index.resolve(reference)
        capabilities[reference] = .some(entry?.reading)
        return entry?.definition
    }

    func outputs(of workflow: String, in all: [String: [String]]) -> [String]? {
        let answer = all[workflow]
        outputs[workflow] = .some(answer)
        return answer
    }

    func hold(exists: (String) -> Bool) -> Bool { files.allSatisfy { exists($0.key) == $0.value } }

    func hold(_ index: CapabilityIndex, _ all: [String: [String]]) -> Bool {
        capabilities.allSatisfy { index.resolve($0.key)?.reading == $0.value }
            && outputs.allSatisfy { all[$0.key] == $0.value }
    }
}

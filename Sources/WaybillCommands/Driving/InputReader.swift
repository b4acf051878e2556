import Glibc
import SystemPackage
import WaybillCore
import WaybillManifests
import WaybillPorts

/// Inputs from the command line: text takes the type that the workflow's schema wants.
enum InputReader {
    /// The largest file of inputs or of an answer, in bytes.
    static let fileLimit = 64 << 20

    /// A text for a schema: where only strings are wanted it stays as it is; else it is a YAML value, which JSON is too.
    static func value(_ text: String, schema: Value?, option: String) throws(CommandError) -> Value {
        if wantsText(schema, text) { return .string(text) }
        do throws(YAMLError) {
            return try YAML.value(Array(text.utf8))
        } catch {
            // What is no YAML may still be a string where strings are welcome.
            if takesText(schema) { return .string(text) }
            throw .usage("\(option): '\(text)' is neither JSON nor YAML: \(error.message)")
        }
    }

    private static func wantsText(_ schema: Value?, _ text: String) -> Bool {
        let types = types(schema)
        if types == ["string"] { return true }
        guard types.isEmpty, let choices = (schema?["enum"]?.listValue ?? schema?["const"].map { [$0] }) else {
            return false
        }
        return choices.contains(.string(text))
    }

    private static func takesText(_ schema: Value?) -> Bool {
        let types = types(schema)
        return types.isEmpty || types.contains("string")
    }

    private static func types(_ schema: Value?) -> [String] {
        switch schema?["type"] {
        case .string(let type)?: [type]
        case .list(let types)?: types.compactMap(\.stringValue)
        default: []
        }
    }

    /// All inputs: those of the file, and over them those given one by one.
    static func inputs(
        _ pairs: [String], file: String?, of workflow: WorkflowDefinition?
    ) throws(CommandError) -> Object {
        var inputs = Object()
        if let file {
            guard let object = try value(ofFile: file).objectValue else {
                throw .usage("--inputs-file: \(file) holds no map of inputs")
            }
            inputs = object
        }
        var given: Set<String> = []
        for pair in pairs {
            let (key, text) = try KeyValue.split(pair, option: "--input")
            guard given.insert(key).inserted else { throw .usage("--input: '\(key)' is given more than once") }
            let schema = workflow?.inputs.first { $0.name == key }?.schemaValue
            inputs[key] = try value(text, schema: schema, option: "--input \(key)")
        }
        return inputs
    }

    /// A JSON file by its ending, YAML otherwise (and for `-`, the standard input, which may then be both).
    static func value(ofFile path: String) throws(CommandError) -> Value {
        let bytes = try self.bytes(ofFile: path)
        let place = path == "-" ? "<stdin>" : path
        if path.hasSuffix(".json") {
            do throws(JSONError) {
                return try JSON.parse(bytes)
            } catch {
                throw CommandError(error, in: place)
            }
        }
        do throws(YAMLError) {
            return try YAML.value(bytes)
        } catch {
            throw CommandError(error, in: place)
        }
    }

    /// The whole content of a file, or of the standard input for `-`.
    static func bytes(ofFile path: String) throws(CommandError) -> [UInt8] {
        let descriptor = path == "-" ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else {
            throw CommandError("unreadable", "cannot read \(path): \(Errno(rawValue: errno))", status: .usage)
        }
        defer { if descriptor != STDIN_FILENO { close(descriptor) } }
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = read(descriptor, &buffer, buffer.count)
            if count == 0 { return bytes }
            guard count > 0 else {
                if errno == EINTR { continue }
                throw CommandError("unreadable", "cannot read \(path): \(Errno(rawValue: errno))", status: .usage)
            }
            bytes += buffer[..<count]
            guard bytes.count <= fileLimit else {
                throw CommandError("too-large", "\(path) has more than \(fileLimit >> 20) MiB", status: .usage)
            }
        }
    }
}

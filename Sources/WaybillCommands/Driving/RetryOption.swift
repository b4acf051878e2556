import WaybillCore
import WaybillManifests

/// `--retry maxAttempts=5,initial=2s,on=[exit,timeout]`, or the same as a JSON or YAML map. What the fields may hold is
/// for the start of the run to check, as it is for a request that comes as a file.
enum RetryOption {
    private static let usage = "write `--retry maxAttempts=5,initial=2s` or `--retry '{\"maxAttempts\": 5}'`"

    static func read(_ texts: [String]) throws(CommandError) -> Object {
        var retry = Object()
        for text in texts {
            let isMap = text.drop { $0.isWhitespace }.first == "{"
            for (name, value) in try isMap ? map(text) : fields(text) {
                guard retry[name] == nil else { throw .usage("--retry: '\(name)' is given more than once") }
                retry[name] = value
            }
        }
        return retry
    }

    private static func map(_ text: String) throws(CommandError) -> [(String, Value)] {
        guard let object = try value(text).objectValue else { throw .usage("--retry: expected a map", hint: usage) }
        return object.map { ($0.key, $0.value) }
    }

    private static func fields(_ text: String) throws(CommandError) -> [(String, Value)] {
        var fields: [(String, Value)] = []
        for field in split(text) {
            guard let sign = field.firstIndex(of: "=") else {
                throw .usage("--retry: '\(field)' is not of the form field=value", hint: usage)
            }
            let name = field[..<sign].trimmed
            fields.append((name, try value(field[field.index(after: sign)...].trimmed)))
        }
        return fields
    }

    private static func value(_ text: String) throws(CommandError) -> Value {
        do throws(YAMLError) {
            return try YAML.value(Array(text.utf8))
        } catch {
            throw .usage("--retry: '\(text)' is neither JSON nor YAML: \(error.message)", hint: usage)
        }
    }

    /// At the commas that stand in no brackets and no quotes.
    private static func split(_ text: String) -> [Substring] {
        var parts: [Substring] = []
        var start = text.startIndex
        var depth = 0
        var quote: Character?
        for index in text.indices {
            let character = text[index]
            if let open = quote {
                if character == open { quote = nil }
                continue
            }
            switch character {
            case "\"", "'": quote = character
            case "[", "{": depth += 1
            case "]", "}": depth -= 1
            case "," where depth <= 0:
                parts.append(text[start..<index])
                start = text.index(after: index)
            default: break
            }
        }
        return parts + [text[start...]]
    }
}

extension Substring {
    fileprivate var trimmed: String {
        var text = drop { $0.isWhitespace }
        while text.last?.isWhitespace == true { text.removeLast() }
        return String(text)
    }
}

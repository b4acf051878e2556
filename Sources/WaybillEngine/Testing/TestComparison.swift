import WaybillCore
import WaybillManifests

/// Compares what happened with what a case expects.
struct TestComparison {
    let entries: [Entry]
    let state: RunState
    let payloads: any PayloadSource

    func misses(of expected: TestExpectation) -> [TestReport.Miss] {
        var misses: [TestReport.Miss] = []
        func compare(_ subject: String, _ expected: Value?, _ actual: Value) {
            guard let expected, !Self.fits(actual, expected) else { return }
            misses.append(TestReport.Miss(subject: subject, expected: Self.text(expected), actual: Self.text(actual)))
        }
        compare("status", expected.status.map(Value.string), .string(state.status.rawValue))
        compare("outputs", expected.outputs, state.outputs.flatMap(value(of:)) ?? .null)
        compare("error", expected.error, state.error?.value ?? .null)
        for (address, value) in expected.steps {
            let actual = step(address)
            if value.stringValue != nil {
                compare("steps.\(address)", value, actual["status"] ?? .null)
            } else {
                compare("steps.\(address)", value, actual)
            }
        }
        if let keys = expected.waiting {
            let open = state.waits.keys.sorted()
            compare("waiting", .list(keys.sorted().map(Value.string)), .list(open.map(Value.string)))
        }
        misses += ledgerMisses(expected.ledger)
        return misses
    }

    // MARK: - Steps

    /// `{status, output, error, exitCode, attempts, visits}` of an address, also of one whose group has ended.
    private func step(_ address: String) -> Value {
        var object: Object = ["status": "pending"]
        var isUndone = false
        for entry in entries {
            // A rejected result is undone before its visit ends, and the step ends as that does.
            if entry.step == address, entry.type == .compensation { isUndone = entry.data["reason"] != "rejected" }
            if entry.step == "\(address)-\(Frame.compensate)", entry.type == .taskEnd, isUndone,
                entry.data["status"] == "completed"
            {
                object["status"] = "compensated"
            }
            guard entry.step == address else { continue }
            switch entry.type {
            case .taskStart:
                object["status"] = "running"
                object["attempts"] = .int(Int64(entry.attempt ?? 1))
                object["visits"] = .int(Int64(entry.visit ?? 1))
            case .taskWaiting: object["status"] = "waiting"
            case .taskUnknown: object["status"] = "unknown"
            case .taskEnd:
                object["status"] = entry.data["status"]
                object["visits"] = .int(Int64(entry.visit ?? 1))
                for name in ["exitCode", "error"] { object[name] = entry.data[name] }
                object["output"] = Payload.read("output", from: entry.data).flatMap(value(of:))
                if let items = Payload.read("items", from: entry.data).flatMap(value(of:)) {
                    object["items"] = items
                    object["output"] = .list(LoopItems.outputs(items))
                }
            default: break
            }
        }
        return .object(object)
    }

    private func value(of payload: Payload) -> Value? {
        PayloadReader(blobs: [], source: payloads, cache: PayloadCache()).value(of: payload)
    }

    // MARK: - Ledger

    /// Expected entries must occur in their order; others may stand between them.
    private func ledgerMisses(_ expected: [Value]) -> [TestReport.Miss] {
        var next = entries.startIndex
        for (index, value) in expected.enumerated() {
            guard let found = entries[next...].firstIndex(where: { fits($0, value) }) else {
                let place = next == 0 ? "no such entry" : "no such entry after number \(next)"
                return [TestReport.Miss(subject: "ledger[\(index)]", expected: Self.text(value), actual: place)]
            }
            next = found + 1
        }
        return []
    }

    private func fits(_ entry: Entry, _ expected: Value) -> Bool {
        if let type = expected.stringValue { return entry.type.rawValue == type }
        var object: Object = ["type": .string(entry.type.rawValue), "actor": .string(entry.actor.rawValue)]
        object["by"] = entry.by.map(Value.string)
        object["step"] = entry.step.map(Value.string)
        object["visit"] = entry.visit.map { .int(Int64($0)) }
        object["attempt"] = entry.attempt.map { .int(Int64($0)) }
        object["data"] = .object(entry.data)
        return Self.fits(.object(object), expected)
    }

    // MARK: - Values

    /// Whether a value is the expected one; of maps only the members that are expected are looked at, and numbers are
    /// compared as numbers.
    static func fits(_ actual: Value, _ expected: Value) -> Bool {
        switch (actual, expected) {
        case (.object(let actual), .object(let expected)):
            expected.allSatisfy { name, value in fits(actual[name] ?? .null, value) }
        case (.list(let actual), .list(let expected)):
            actual.count == expected.count && zip(actual, expected).allSatisfy { fits($0, $1) }
        case (.int, .double), (.double, .int): actual.numberValue == expected.numberValue
        default: actual == expected
        }
    }

    static func text(_ value: Value) -> String {
        value.stringValue ?? String(decoding: JSON.compact(value), as: UTF8.self)
    }
}

/// Entries as lines for people.
enum TestStory {
    static func line(_ entry: Entry) -> String {
        var parts = [entry.type.rawValue]
        if let step = entry.step {
            parts.append(entry.visit.map { $0 > 1 ? "\(step) (visit \($0))" : step } ?? step)
        }
        for name in ["status", "key", "to", "verdict", "rule"] {
            if let text = entry.data[name]?.stringValue { parts.append("\(name)=\(text)") }
        }
        if let message = entry.data["error"]?["message"]?.stringValue { parts.append(message) }
        return parts.joined(separator: " ")
    }
}

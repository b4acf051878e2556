package import WaybillCore

/// What somebody wants to be started:
/// `{"workflow":"release","inputs":{...},"id":"...","labels":{...},"retry":{...}}`.
package struct StartRequest: Sendable, Hashable {
    package var workflow: String
    package var inputs: Object
    /// Given by the caller: the same id with the same inputs is the same run.
    package var id: String?
    package var labels: Object
    /// The run's own `retry`, not checked yet (`RetryOverride`); it comes before what steps say.
    package var retry = Object()
    /// Who asks, for `run.startedBy`.
    package var by: String?
    /// The owner of the file that asks; nil where this process's own user does.
    package var userID: UInt32?
    /// `manual`, or what else brought it about.
    package var trigger: String

    package init(
        workflow: String, inputs: Object = Object(), id: String? = nil, labels: Object = Object(), by: String? = nil,
        trigger: String = "manual"
    ) {
        self.workflow = workflow
        self.inputs = inputs
        self.id = id
        self.labels = labels
        self.by = by
        self.trigger = trigger
    }

    /// What keeps a file from being a start request, in words.
    package struct Problem: Error, Sendable, Hashable {
        package var message: String
    }

    /// Reads a request as it is dropped into `runs/inbox/`.
    package init(_ value: Value) throws(Problem) {
        guard let object = value.objectValue else {
            throw Problem(message: "expected a map with `workflow`, got \(value.kindName)")
        }
        let known = ["format", "workflow", "inputs", "id", "labels", "retry", "trigger"]
        if let other = object.keys.first(where: { !known.contains($0) }) {
            let hint = Suggestion.hint(for: other, among: known).map { "; \($0)" } ?? ""
            throw Problem(message: "\(other): is no member of a start request\(hint)")
        }
        guard let workflow = object["workflow"]?.stringValue else {
            throw Problem(message: "workflow: expected a workflow's name")
        }
        self.init(workflow: workflow, trigger: "file")
        if let trigger = object["trigger"] {
            guard trigger == .string("manual") else {
                throw Problem(message: "trigger: expected \"manual\", which is what `waybill run` says")
            }
            self.trigger = "manual"
        }
        if let inputs = object["inputs"], !inputs.isNull {
            guard let map = inputs.objectValue else {
                throw Problem(message: "inputs: expected map, got \(inputs.kindName)")
            }
            self.inputs = map
        }
        if let id = object["id"], !id.isNull {
            guard let text = id.stringValue, RunID.isValid(text) else {
                throw Problem(
                    message: "id: expected 1 to 128 letters, digits, '_' or '-', beginning with a letter or digit")
            }
            self.id = text
        }
        if let labels = object["labels"], !labels.isNull {
            guard let map = labels.objectValue, map.allSatisfy({ $0.value.stringValue != nil }) else {
                throw Problem(message: "labels: expected a map of strings")
            }
            self.labels = map
        }
        if let retry = object["retry"], !retry.isNull {
            guard let map = retry.objectValue else {
                throw Problem(message: "retry: expected map, got \(retry.kindName)")
            }
            self.retry = map
        }
    }

    /// The request as a file has it.
    package var value: Value {
        var object: Object = ["workflow": .string(workflow), "inputs": .object(inputs)]
        if let id { object["id"] = .string(id) }
        if !labels.isEmpty { object["labels"] = .object(labels) }
        if !retry.isEmpty { object["retry"] = .object(retry) }
        if trigger == "manual" { object["trigger"] = "manual" }
        return .object(object)
    }
}

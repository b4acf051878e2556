/// What the kernel holds the processes of one attempt to: `limits: {cpu, memory, files, processes}` of a step.
package struct ProcessLimits: Sendable, Hashable {
    /// What an attempt can be ended for.
    package enum Kind: String, Sendable, Hashable {
        case cpu
        case memory
    }

    /// Processor time of each process.
    package var cpu: Duration?
    /// Address space of each process, or memory of all of them together where they have a control group.
    package var memoryBytes: Int?
    /// Open files of each process.
    package var files: Int?
    /// Processes and threads at once.
    package var processes: Int?

    package init(cpu: Duration? = nil, memoryBytes: Int? = nil, files: Int? = nil, processes: Int? = nil) {
        self.cpu = cpu
        self.memoryBytes = memoryBytes
        self.files = files
        self.processes = processes
    }

    package var isEmpty: Bool { self == ProcessLimits() }

    /// Whole seconds, as the kernel counts them; what is left over counts as one more.
    package var cpuSeconds: Int64? {
        cpu.map { span in span.components.seconds + (span.components.attoseconds > 0 ? 1 : 0) }
    }

    /// These, and the other's where there is none.
    package func completed(by other: ProcessLimits) -> ProcessLimits {
        ProcessLimits(
            cpu: cpu ?? other.cpu, memoryBytes: memoryBytes ?? other.memoryBytes, files: files ?? other.files,
            processes: processes ?? other.processes)
    }
}

extension ProcessLimits {
    /// As an attempt's intent records them: `{"cpu":"10s","memory":536870912,"files":256,"processes":64}`.
    package var record: Value {
        var object = Object()
        object["cpu"] = cpu.map { .string($0.text) }
        object["memory"] = memoryBytes.map { .int(Int64($0)) }
        object["files"] = files.map { .int(Int64($0)) }
        object["processes"] = processes.map { .int(Int64($0)) }
        return .object(object)
    }

    /// Reads such a record; what is missing is unlimited.
    package init(record: Value?) {
        self.init(
            cpu: record?["cpu"]?.stringValue.flatMap(Duration.init(text:)),
            memoryBytes: record?["memory"]?.intValue.map { Int($0) }, files: record?["files"]?.intValue.map { Int($0) },
            processes: record?["processes"]?.intValue.map { Int($0) })
    }

    /// For people: `10s of processor time, 512 MiB of memory, 256 open files, 64 processes`.
    package var text: String {
        [
            cpu.map { "\($0.text) of processor time" }, memoryBytes.map { "\(Self.size($0)) of memory" },
            files.map { "\($0) open files" }, processes.map { $0 == 1 ? "1 process" : "\($0) processes" },
        ].compactMap { $0 }.joined(separator: ", ")
    }

    /// `512MiB`, as a manifest has it.
    package static func size(_ bytes: Int) -> String {
        let units = [(30, "GiB"), (20, "MiB"), (10, "KiB")]
        for (shift, unit) in units where bytes > 0 && bytes & ((1 << shift) - 1) == 0 {
            return "\(bytes >> shift)\(unit)"
        }
        return "\(bytes)B"
    }
}

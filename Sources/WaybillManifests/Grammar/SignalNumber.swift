import WaybillCore

/// The signals a process may die of, by name (POSIX.1-2024, `<signal.h>`; the numbers are those of Linux on x86 and Arm).
enum SignalNumber {
    static let names: [String: Int] = [
        "HUP": 1, "INT": 2, "QUIT": 3, "ILL": 4, "TRAP": 5, "ABRT": 6, "BUS": 7, "FPE": 8, "KILL": 9, "USR1": 10,
        "SEGV": 11, "USR2": 12, "PIPE": 13, "ALRM": 14, "TERM": 15, "STKFLT": 16, "XCPU": 24, "XFSZ": 25,
        "VTALRM": 26, "PROF": 27, "POLL": 29, "PWR": 30, "SYS": 31,
    ]

    /// `TERM`, `SIGTERM` or 15; nil for anything else.
    static func read(_ scalar: YAMLScalar) -> Int? {
        if let number = scalar.value.intValue { return (1...64).contains(number) ? Int(number) : nil }
        guard scalar.isString else { return nil }
        return names[scalar.text.hasPrefix("SIG") ? String(scalar.text.dropFirst(3)) : scalar.text]
    }
}

extension HTTPAction.StatusRange {
    /// `404` or `4xx`; nil for anything else.
    init?(_ scalar: YAMLScalar) {
        if let status = scalar.value.intValue {
            guard (100...599).contains(status) else { return nil }
            self.init(Int(status)...Int(status))
        } else {
            let bytes = Array(scalar.text.utf8)
            guard scalar.isString, bytes.count == 3, bytes[1] == UInt8(ascii: "x"), bytes[2] == UInt8(ascii: "x"),
                (UInt8(ascii: "1")...UInt8(ascii: "5")).contains(bytes[0])
            else { return nil }
            let first = Int(bytes[0] - UInt8(ascii: "0")) * 100
            self.init(first...first + 99)
        }
    }
}

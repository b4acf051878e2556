internal import SystemPackage

/// A name in a folder of a disk in memory: bytes, which are compared and hashed as such.
package struct MemoryName: Hashable, Sendable, Comparable {
    package let bytes: [UInt8]

    package init(_ bytes: [UInt8]) { self.bytes = bytes }
    package init(_ text: String) { bytes = Array(text.utf8) }

    package var text: String { String(decoding: bytes, as: UTF8.self) }

    /// What the port calls a name; nil for what no path can have.
    var component: FilePath.Component? {
        (bytes + [0]).withUnsafeBufferPointer { buffer in
            buffer.withMemoryRebound(to: CChar.self) { buffer in
                buffer.baseAddress.flatMap { FilePath.Component(platformString: $0) }
            }
        }
    }

    package static func < (left: MemoryName, right: MemoryName) -> Bool {
        left.bytes.lexicographicallyPrecedes(right.bytes)
    }
}

/// The names of a path, taken apart once: a simulated disk does little else.
struct MemoryPath: Sendable {
    private(set) var names: [MemoryName] = []
    private(set) var isAbsolute = false
    /// Whether it leads upwards.
    private(set) var isEscaping = false

    init(_ path: FilePath) {
        path.withPlatformString { start in
            var bytes: [UInt8] = []
            var next = start
            isAbsolute = start.pointee == CChar(bitPattern: UInt8(ascii: "/"))
            while true {
                let byte = UInt8(bitPattern: next.pointee)
                if byte == 0 || byte == UInt8(ascii: "/") {
                    take(&bytes)
                    if byte == 0 { return }
                } else {
                    bytes.append(byte)
                }
                next += 1
            }
        }
    }

    private mutating func take(_ bytes: inout [UInt8]) {
        defer { bytes = [] }
        if bytes.isEmpty || bytes == [UInt8(ascii: ".")] { return }
        if bytes == [UInt8(ascii: "."), UInt8(ascii: ".")] { isEscaping = true }
        names.append(MemoryName(bytes))
    }
}

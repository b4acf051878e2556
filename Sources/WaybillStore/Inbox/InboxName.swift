package import SystemPackage
internal import WaybillCore
internal import WaybillPorts

/// Names in inboxes are chosen by anybody: bytes of any kind, up to 255 of them.
enum InboxName {
    /// The longest name that still leaves room for what receipts put before and behind it.
    static let longest = 180

    /// Whether scans pass over a name until it is renamed: hidden, temporary, or an editor's copy.
    static func isIgnored(_ name: FilePath.Component) -> Bool {
        let bytes = name.bytes
        return bytes.first == UInt8(ascii: ".") || bytes.last == UInt8(ascii: "~") || bytes.hasSuffix(".tmp")
            || [Array("accepted".utf8), Array("rejected".utf8)].contains(bytes)
    }

    /// A name as receipts spell it: control characters, per cent signs and what is no UTF-8 become `%XX`.
    static func escaped(_ name: FilePath.Component) -> String {
        let bytes = name.bytes
        let isText = String(validating: bytes, as: UTF8.self) != nil
        var text: [UInt8] = []
        for byte in bytes {
            let isControl = byte < 0x20 || byte == 0x7F || byte == UInt8(ascii: "%")
            if isControl || (byte >= 0x80 && !isText) {
                text += "%".utf8
                if byte < 16 { text += "0".utf8 }
                text += String(byte, radix: 16, uppercase: true).utf8
            } else {
                text.append(byte)
            }
        }
        return String(decoding: text, as: UTF8.self)
    }

    /// The escaped name if it is short; else its beginning and twelve digits of its digest.
    static func short(_ name: FilePath.Component) -> String {
        let text = escaped(name)
        guard text.utf8.count > longest else { return text }
        var start = Array(text.utf8.prefix(longest - 13))
        // A character that was cut in the middle goes as a whole.
        while String(validating: start, as: UTF8.self) == nil { start.removeLast() }
        return String(decoding: start, as: UTF8.self) + "-" + Digest.sha256(name.bytes).hex.prefix(12)
    }
}

extension FilePath.Component {
    private static let signatureEnding = Array(".sig".utf8)

    /// Of `<name>.sig`: the name of the file that it signs; nil for any other.
    package var signedName: FilePath.Component? {
        let bytes = bytes
        guard bytes.count > 4, bytes.suffix(4).elementsEqual(Self.signatureEnding) else { return nil }
        return FilePath.Component(bytes: Array(bytes.dropLast(4)))
    }

    /// The name of a detached signature of a file with this name; nil where it would be too long.
    package var signatureName: FilePath.Component? {
        let bytes = bytes
        return bytes.count <= 251 ? FilePath.Component(bytes: bytes + Self.signatureEnding) : nil
    }

    /// The name as the kernel has it.
    var bytes: [UInt8] {
        withPlatformString { start in
            var bytes: [UInt8] = []
            var next = start
            while next.pointee != 0 {
                bytes.append(UInt8(bitPattern: next.pointee))
                next += 1
            }
            return bytes
        }
    }

    init?(bytes: [UInt8]) {
        guard !bytes.contains(0) else { return nil }
        let name = (bytes + [0]).withUnsafeBufferPointer { buffer in
            buffer.withMemoryRebound(to: CChar.self) { buffer in
                buffer.baseAddress.flatMap { FilePath.Component(platformString: $0) }
            }
        }
        guard let name else { return nil }
        self = name
    }
}

extension [UInt8] {
    fileprivate func hasSuffix(_ text: String) -> Bool { suffix(text.utf8.count).elementsEqual(text.utf8) }
}

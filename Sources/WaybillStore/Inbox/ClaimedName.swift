internal import SystemPackage
internal import WaybillCore

/// How files are called in `.claimed/`: `<change time in microseconds>.<n>~<name>`. The time was read before
/// the claim, which changes it; so it survives a crash between claim and commit. `n` keeps names apart.
struct ClaimedName {
    var changed: Timestamp
    var number: Int
    var name: FilePath.Component

    init(changed: Timestamp, number: Int, name: FilePath.Component) {
        self.changed = changed
        self.number = number
        self.name = name
    }

    /// Nil for a name that was given by the caller, such as a start request's run id.
    init?(_ claimed: FilePath.Component) {
        let parts = claimed.bytes.split(separator: UInt8(ascii: "~"), maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count == 2 else { return nil }
        let numbers = String(decoding: parts[0], as: UTF8.self).split(separator: ".", omittingEmptySubsequences: false)
        guard numbers.count == 2, let microseconds = Int64(numbers[0]), let number = Int(numbers[1]),
            let name = FilePath.Component(bytes: Array(parts[1]))
        else { return nil }
        self.init(changed: Timestamp(microseconds: microseconds), number: number, name: name)
    }

    var component: FilePath.Component? {
        let prefix = Array("\(changed.microseconds).\(number)~".utf8)
        let bytes = name.bytes
        // A name that leaves no room is no answer's name either; a recognisable form of it is enough.
        let kept = prefix.count + bytes.count <= 255 ? bytes : Array(InboxName.short(name).utf8)
        return FilePath.Component(bytes: prefix + kept)
    }
}

import WaybillCore

/// What was read is written in three ways and read again as the same.
func fuzzJSON(_ bytes: [UInt8]) {
    guard let value = try? JSON.parse(bytes) else { return }
    require(value.depth <= JSON.Limits.standard.depth, "no value is deeper than its limit")
    require((try? JSON.parse(JSON.compact(value))) == value, "what is written on one line is read as it was")
    require((try? JSON.parse(JSON.pretty(value))) == value, "what is written for people is read as it was")
    let lenient = JSON.Limits(allowsDuplicateMembers: true)
    require((try? JSON.parse(bytes, limits: lenient)) == value, "leniency changes nothing about what is strict")
    let canonical = require(try? JSON.canonical(value), "numbers that were read are finite")
    let again = require(try? JSON.parse(canonical), "canonical bytes are JSON")
    require((try? JSON.canonical(again)) == canonical, "canonical bytes are their own canonical form")
}

extension Value {
    /// Lists and maps inside each other.
    var depth: Int {
        switch self {
        case .list(let elements): 1 + (elements.map(\.depth).max() ?? 0)
        case .object(let object): 1 + (object.map(\.value.depth).max() ?? 0)
        default: 0
        }
    }
}

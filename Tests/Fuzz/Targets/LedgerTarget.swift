import WaybillCore
import WaybillEngine

/// Lines of a ledger: an entry has one spelling, and a ledger is the same in one piece and in many.
func fuzzLedger(_ bytes: [UInt8]) {
    for line in bytes.split(separator: UInt8(ascii: "\n")).prefix(8) {
        guard let entry = try? EntryCodec.parse(Array(line)) else { continue }
        require(EntryCodec.line(entry) == Array(line), "an entry has one spelling")
    }
    let whole = scan(bytes, by: max(bytes.count, 1))
    let pieces = scan(bytes, by: 7)
    require(pieces.items == whole.items, "a ledger has the same entries in pieces of any size")
    require(pieces.verdict == whole.verdict, "a ledger is judged the same in pieces of any size")
    require(whole.verdict.head.length <= bytes.count, "a head lies inside its ledger")
}

private func scan(_ bytes: [UInt8], by size: Int) -> (items: [LedgerScanner.Item], verdict: LedgerVerdict) {
    var scanner = LedgerScanner(after: .start(genesis: .zero))
    var items: [LedgerScanner.Item] = []
    var rest = bytes[...]
    while !rest.isEmpty {
        scanner.feed(Array(rest.prefix(size))) { items.append($0) }
        rest = rest.dropFirst(size)
    }
    return (items, scanner.finish())
}

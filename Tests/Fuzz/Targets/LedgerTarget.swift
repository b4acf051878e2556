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
    // The verifier reads less of each line: it may let pass what the scanner refuses, and never the other way round.
    let quick = verify(bytes, by: 7)
    require(quick == verify(bytes, by: max(bytes.count, 1)), "the verifier judges pieces of any size the same")
    if case .whole = whole.verdict { require(quick == whole.verdict, "the verifier passes what the scanner passes") }
    require(quick.head.seq >= whole.verdict.head.seq, "the verifier goes as far as the scanner")
    audit(whole.items)
}

private func verify(_ bytes: [UInt8], by size: Int) -> LedgerVerdict {
    var verifier = LedgerVerifier(after: .start(genesis: .zero))
    var rest = bytes[...]
    while !rest.isEmpty {
        verifier.feed(Array(rest.prefix(size)))
        rest = rest.dropFirst(size)
    }
    return verifier.finish()
}

/// Signatures that nobody made vouch for nothing.
private func audit(_ items: [LedgerScanner.Item]) {
    guard
        let key = PublicKey(line: "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIDjjyhNi4LKEldkksuaIVu4SWWRwo1BVr7ae6i/HzvlN a")
    else { return }
    var audit = SignatureAudit(trusting: [key])
    for item in items { audit.take(item.entry) }
    require(audit.last == nil, "nobody has the key")
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

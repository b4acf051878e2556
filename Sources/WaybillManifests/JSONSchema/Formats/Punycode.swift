/// Punycode, RFC 3492, sections 6.1 to 6.3.
enum Punycode {
    private static let base = 36
    private static let tMin = 1
    private static let tMax = 26
    private static let initialN = 128
    private static let initialBias = 72

    private static func adapt(_ delta: Int, count: Int, isFirst: Bool) -> Int {
        var delta = isFirst ? delta / 700 : delta / 2
        delta += delta / count
        var k = 0
        while delta > (base - tMin) * tMax / 2 {
            delta /= base - tMin
            k += base
        }
        return k + (base - tMin + 1) * delta / (delta + 38)
    }

    private static func threshold(_ k: Int, _ bias: Int) -> Int { min(max(k - bias, tMin), tMax) }

    /// The code points that the part behind `xn--` stands for; nil if it is no Punycode.
    static func decode(_ bytes: some Collection<UInt8>) -> [Unicode.Scalar]? {
        let text = Array(bytes)
        var output: [Unicode.Scalar] = []
        var position = 0
        if let hyphen = text.lastIndex(of: UInt8(ascii: "-")) {
            guard text[..<hyphen].allSatisfy({ $0 < 0x80 }) else { return nil }
            output = text[..<hyphen].map { Unicode.Scalar($0) }
            position = hyphen + 1
        }
        var (n, i, bias) = (initialN, 0, initialBias)
        while position < text.count {
            let start = i
            var weight = 1
            var k = base
            while true {
                guard position < text.count, let digit = digit(text[position]) else { return nil }
                position += 1
                let (product, overflowed) = digit.multipliedReportingOverflow(by: weight)
                let (sum, carried) = i.addingReportingOverflow(product)
                guard !overflowed, !carried else { return nil }
                i = sum
                let limit = threshold(k, bias)
                if digit < limit { break }
                let (next, tooLarge) = weight.multipliedReportingOverflow(by: base - limit)
                guard !tooLarge else { return nil }
                weight = next
                k += base
            }
            bias = adapt(i - start, count: output.count + 1, isFirst: start == 0)
            n += i / (output.count + 1)
            i %= output.count + 1
            guard n <= 0x10FFFF, let scalar = Unicode.Scalar(UInt32(n)) else { return nil }
            output.insert(scalar, at: i)
            i += 1
        }
        return output
    }

    /// The part behind `xn--`; nil for labels far too long.
    static func encode(_ label: [Unicode.Scalar]) -> [UInt8]? {
        guard label.count <= 256 else { return nil }
        var output = label.filter(\.isASCII).map { UInt8(ascii: $0) }
        let basicCount = output.count
        var handled = basicCount
        if basicCount > 0 { output.append(UInt8(ascii: "-")) }
        var (n, delta, bias) = (initialN, 0, initialBias)
        while handled < label.count {
            guard let next = label.lazy.map({ Int($0.value) }).filter({ $0 >= n }).min() else { return nil }
            delta += (next - n) * (handled + 1)
            n = next
            for scalar in label {
                if Int(scalar.value) < n { delta += 1 }
                guard Int(scalar.value) == n else { continue }
                var rest = delta
                var k = base
                while true {
                    let limit = threshold(k, bias)
                    if rest < limit { break }
                    output.append(character(limit + (rest - limit) % (base - limit)))
                    rest = (rest - limit) / (base - limit)
                    k += base
                }
                output.append(character(rest))
                bias = adapt(delta, count: handled + 1, isFirst: handled == basicCount)
                delta = 0
                handled += 1
            }
            delta += 1
            n += 1
        }
        return output
    }

    private static func digit(_ byte: UInt8) -> Int? {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"): Int(byte - UInt8(ascii: "a"))
        case UInt8(ascii: "A")...UInt8(ascii: "Z"): Int(byte - UInt8(ascii: "A"))
        case UInt8(ascii: "0")...UInt8(ascii: "9"): Int(byte - UInt8(ascii: "0")) + 26
        default: nil
        }
    }

    private static func character(_ digit: Int) -> UInt8 {
        UInt8(digit < 26 ? digit + 97 : digit + 22)
    }
}

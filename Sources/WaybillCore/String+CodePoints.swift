// Swift compares strings after Unicode normalisation. JSON, CEL and file names do not: there a string is
// its sequence of code points, and UTF-8 keeps their order.

extension String {
    /// Whether both strings have the same UTF-8 bytes.
    package func isIdenticalUTF8(to other: String) -> Bool {
        var left = self
        var right = other
        return left.withUTF8 { left in
            right.withUTF8 { right in
                left.count == right.count && left.elementsEqual(right)
            }
        }
    }

    /// Whether this string comes before `other` in code-point order.
    package func precedesInCodePoints(_ other: String) -> Bool {
        var left = self
        var right = other
        return left.withUTF8 { left in
            right.withUTF8 { right in
                for index in 0..<min(left.count, right.count) where left[index] != right[index] {
                    return left[index] < right[index]
                }
                return left.count < right.count
            }
        }
    }
}

extension Hasher {
    /// Feeds the UTF-8 of a string, so that the hash agrees with `isIdenticalUTF8(to:)`.
    package mutating func combineUTF8(of string: String) {
        var string = string
        string.withUTF8 { combine(bytes: UnsafeRawBufferPointer($0)) }
        combine(UInt8(0xFF))
    }
}

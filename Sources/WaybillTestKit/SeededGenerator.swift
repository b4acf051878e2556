/// SplitMix64 (Steele, Lea, Flood: "Fast Splittable Pseudorandom Number Generators", figure 16): a seed gives one test.
package struct SeededGenerator: RandomNumberGenerator, Sendable {
    private var state: UInt64

    package init(_ seed: UInt64) { state = seed }

    /// A generator of its own for one purpose: asking it more or less often changes nothing elsewhere.
    package init(_ seed: UInt64, _ purposes: Int...) {
        state = seed
        for purpose in purposes { state = next() &+ UInt64(bitPattern: Int64(purpose)) &* 0xD134_2543_DE82_EF95 }
    }

    package mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }

    package mutating func chance(_ percent: Int) -> Bool { number(0..<100) < percent }

    package mutating func number(_ range: Range<Int>) -> Int { Int.random(in: range, using: &self) }

    package mutating func pick<Element>(_ elements: [Element]) -> Element { elements[number(0..<elements.count)] }
}

/// Runs a program over a text, all its threads side by side, one code point at a time.
struct PatternMatcher {
    private let program: PatternProgram
    /// How many instructions may still be looked at.
    private(set) var steps: Int

    /// The instructions at which threads wait for the next code point, and a mark for each that is reached.
    private var current: [Int] = []
    private var following: [Int] = []
    private var marks: [Int]
    private var generation = 0
    private var stack: [Int] = []
    private var isMatched = false

    init(_ program: PatternProgram, steps: Int) {
        self.program = program
        self.steps = steps
        marks = [Int](repeating: -1, count: program.instructions.count)
    }

    /// nil if the steps are used up.
    mutating func run(_ text: String) -> Bool? {
        var previous: Unicode.Scalar?
        var scalars = text.unicodeScalars.makeIterator()
        var next = scalars.next()
        generation = 0
        while true {
            // A match may begin at any place.
            follow(0, previous, next)
            if isMatched { return true }
            guard let scalar = next else { return steps < 0 ? nil : false }
            next = scalars.next()
            step(over: scalar, next)
            if isMatched { return true }
            if steps < 0 { return nil }
            previous = scalar
        }
    }

    private mutating func step(over scalar: Unicode.Scalar, _ next: Unicode.Scalar?) {
        following.removeAll(keepingCapacity: true)
        swap(&current, &following)
        generation += 1
        steps -= following.count + 1
        var folded: Unicode.Scalar?
        for index in following {
            let isAccepted: Bool
            switch program.instructions[index] {
            case .scalar(let wanted): isAccepted = wanted == scalar
            case .folded(let wanted):
                let fold = folded ?? scalar.caseFolded
                folded = fold
                isAccepted = wanted == fold
            case .set(let set): isAccepted = program.sets[set].contains(scalar)
            default: isAccepted = false
            }
            if isAccepted {
                follow(index + 1, scalar, next)
                if isMatched { return }
            }
        }
    }

    /// Adds a thread, and those it splits into, to the current ones.
    private mutating func follow(_ start: Int, _ previous: Unicode.Scalar?, _ next: Unicode.Scalar?) {
        stack.append(start)
        while let index = stack.popLast() {
            if marks[index] == generation { continue }
            marks[index] = generation
            steps -= 1
            switch program.instructions[index] {
            case .match:
                isMatched = true
                stack.removeAll(keepingCapacity: true)
                return
            case .jump(let target): stack.append(target)
            case .split(let first, let second):
                stack.append(second)
                stack.append(first)
            case .assertion(let assertion): if holds(assertion, previous, next) { stack.append(index + 1) }
            default: current.append(index)
            }
        }
    }

    private func holds(
        _ assertion: PatternNode.Assertion, _ previous: Unicode.Scalar?, _ next: Unicode.Scalar?
    ) -> Bool {
        switch assertion {
        case .textStart: previous == nil
        case .textEnd: next == nil
        case .lineStart: previous == nil || previous == "\n"
        case .lineEnd: next == nil || next == "\n"
        case .wordBoundary: isBoundary(previous, next)
        case .noWordBoundary: !isBoundary(previous, next)
        }
    }

    private func isBoundary(_ previous: Unicode.Scalar?, _ next: Unicode.Scalar?) -> Bool {
        (previous?.isWordScalar ?? false) != (next?.isWordScalar ?? false)
    }
}

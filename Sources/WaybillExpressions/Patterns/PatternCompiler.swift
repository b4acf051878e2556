/// A pattern as a list of instructions (Thompson, "Regular Expression Search Algorithm").
struct PatternProgram: Sendable {
    enum Instruction: Sendable {
        case scalar(Unicode.Scalar)
        /// Compared after folding the case of both; the instruction's is folded already.
        case folded(Unicode.Scalar)
        case set(Int)
        case assertion(PatternNode.Assertion)
        /// Goes on at both.
        case split(Int, Int)
        case jump(Int)
        case match
    }

    var instructions: [Instruction] = []
    var sets: [ScalarSet] = []
}

/// Turns a pattern into instructions, repetitions written out, up to a bound.
struct PatternCompiler {
    static let mostInstructions = 10_000
    /// Repeating nothing makes no instructions, but takes time as well.
    private static let mostVisits = 50_000

    private var program = PatternProgram()
    private var visits = 0

    static func compile(_ node: PatternNode) throws(PatternError) -> PatternProgram {
        var compiler = PatternCompiler()
        try compiler.emit(node)
        try compiler.emit(.match)
        return compiler.program
    }

    private var end: Int { program.instructions.count }

    private mutating func emit(_ instruction: PatternProgram.Instruction) throws(PatternError) {
        guard end < Self.mostInstructions else { throw Self.tooLarge }
        program.instructions.append(instruction)
    }

    private static var tooLarge: PatternError {
        PatternError(message: "the pattern is too large once its repetitions are written out", offset: 0)
    }

    private mutating func emit(_ node: PatternNode) throws(PatternError) {
        visits += 1
        guard visits <= Self.mostVisits else { throw Self.tooLarge }
        switch node {
        case .empty: break
        case .scalar(let scalar, let ignoresCase):
            try emit(ignoresCase ? .folded(scalar.caseFolded) : .scalar(scalar))
        case .set(let set):
            program.sets.append(set)
            try emit(.set(program.sets.count - 1))
        case .assertion(let assertion): try emit(PatternProgram.Instruction.assertion(assertion))
        case .sequence(let nodes): for node in nodes { try emit(node) }
        case .alternatives(let nodes): try emitAlternatives(nodes)
        case .repetition(let node, let least, let most): try emitRepetition(node, least: least, most: most)
        }
    }

    private mutating func emitAlternatives(_ nodes: [PatternNode]) throws(PatternError) {
        var jumps: [Int] = []
        for node in nodes.dropLast() {
            let split = end
            try emit(.split(split + 1, split + 1))
            try emit(node)
            jumps.append(end)
            try emit(.jump(0))
            program.instructions[split] = .split(split + 1, end)
        }
        if let last = nodes.last { try emit(last) }
        for jump in jumps { program.instructions[jump] = .jump(end) }
    }

    private mutating func emitRepetition(_ node: PatternNode, least: Int, most: Int?) throws(PatternError) {
        guard let most else {
            for _ in 0..<max(0, least - 1) { try emit(node) }
            let start = end
            if least == 0 { try emit(.split(start + 1, start + 1)) }
            try emit(node)
            if least == 0 {
                try emit(.jump(start))
                program.instructions[start] = .split(start + 1, end)
            } else {
                try emit(.split(start, end + 1))
            }
            return
        }
        for _ in 0..<least { try emit(node) }
        var splits: [Int] = []
        for _ in least..<most {
            splits.append(end)
            try emit(.split(end + 1, end + 1))
            try emit(node)
        }
        for split in splits { program.instructions[split] = .split(split + 1, end) }
    }
}

import Synchronization

/// Those who carry out pieces of work that have nothing to do with each other.
package struct Workers: Sendable {
    /// Fewer pieces are not worth handing out.
    private static let few = 64

    private let carryOut: @Sendable (_ count: Int, _ piece: @Sendable (Int) -> Void) -> Void

    /// - Parameter carryOut: does the pieces of these many numbers from 0 on, each once, in any order and on any thread,
    ///   and returns when all are done.
    package init(_ carryOut: @escaping @Sendable (_ count: Int, _ piece: @Sendable (Int) -> Void) -> Void) {
        self.carryOut = carryOut
    }

    /// The thread that asks, and one piece after the other.
    package static let here = Workers { count, piece in
        (0..<count).forEach(piece)
    }

    /// What the pieces come to, in the order of the inputs.
    func map<Input: Sendable, Output: Sendable>(
        _ inputs: [Input], _ body: @Sendable (Input) -> Output
    ) -> [Output] {
        guard inputs.count >= Self.few else { return inputs.map(body) }
        let outputs = Mutex([Output?](repeating: nil, count: inputs.count))
        carryOut(inputs.count) { number in
            let output = body(inputs[number])
            outputs.withLock { $0[number] = output }
        }
        return outputs.withLock { $0.compactMap { $0 } }
    }
}

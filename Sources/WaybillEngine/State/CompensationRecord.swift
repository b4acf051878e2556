package import WaybillCore

/// Something that was done and can be undone.
package struct CompensationRecord: Sendable, Hashable {
    package enum Status: String, Sendable, Hashable {
        case pending
        case running
        case completed
        case failed
        /// A pivot made it final.
        case discharged
    }

    package var instance: InstanceID
    /// The step's address.
    package var step: String
    package var visit: Int
    /// Of the `TASK_END` that says it was done.
    package var seq: Int
    /// The step's output then.
    package var output: Payload?
    /// Of a capability that undoes itself: what it was given.
    package var inputs: Value?
    /// Inside a loop: the item it was done for. The loop itself may be over.
    package var item: Payload?
    /// For a sub-run that undoes itself: its id.
    package var run: String?
    package var status: Status = .pending
    package var error: Failure?
    /// Whether it is undone at once, because the run goes on after its result was rejected.
    package var isOfRejected = false

    package init(instance: InstanceID, step: String, visit: Int, seq: Int, output: Payload?) {
        self.instance = instance
        self.step = step
        self.visit = visit
        self.seq = seq
        self.output = output
    }
}

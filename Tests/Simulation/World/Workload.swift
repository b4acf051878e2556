import WaybillCore
import WaybillTestKit

/// What happens in one world, given its seed: which workflows are run, what people do, how good disk and kernel are.
package struct Workload: Sendable {
    package let seed: UInt64
    /// What names it on the command line of `simulate`.
    package private(set) var name: String
    /// Daemons that share the tree.
    package var daemons = 1
    var hearing = Hearing()
    /// Operations that fail, in ten thousand; 0 on a good disk.
    var faults = 0
    /// Jumps of the clock, in ten thousand steps of the world.
    var jumps = 0
    var passInterval = Duration.seconds(300)
    var acts: [PlannedAct] = []
    var workflows: [String] = []

    package init(seed: UInt64) {
        self.seed = seed
        name = "--seed \(seed)"
        var random = SeededGenerator(seed, 1)
        if random.chance(25) { faults = random.number(20..<400) }
        if random.chance(20) { jumps = random.number(5..<60) }
        if random.chance(40) {
            hearing = Hearing(
                lost: random.number(0..<40), doubled: random.number(0..<30), reordered: random.number(0..<50),
                overflow: random.number(0..<20))
        }
        if random.chance(50) { passInterval = .seconds(30) }
        if random.chance(15) { daemons = 2 }
        let count = random.chance(60) ? 1 : 2
        var stories = Story.all
        for number in 0..<count {
            let story = stories.remove(at: random.number(0..<stories.count))
            workflows.append(story.manifest)
            story.plan("r\(number + 1)", &acts, &random)
        }
        acts.sort { $0.after < $1.after }
    }

    /// The workload that every change is checked with: each story once, on a good disk.
    package static func reference(_ story: Int) -> Workload {
        var workload = Workload(seed: UInt64(story))
        workload.name = "--story \(story)"
        let story = Story.all[story % Story.all.count]
        workload.daemons = 1
        workload.hearing = Hearing()
        workload.faults = 0
        workload.jumps = 0
        workload.workflows = [story.manifest]
        workload.acts = []
        var random = SeededGenerator(UInt64(workload.seed), 2)
        story.plan("r1", &workload.acts, &random)
        workload.acts.sort { $0.after < $1.after }
        return workload
    }

    /// Of a large world one operation of so many is crashed, and with each seed another one: it costs ten times as much to
    /// play as a small one, and there is more to be found in another large one than in its next operation.
    var stride: Int { daemons > 1 || workflows.count > 1 ? 40 : 1 }

    package static var referenceCount: Int { Story.all.count }

    var manifest: String { workflows.joined(separator: "\n---\n") }
}

/// Something that people do, so long after the beginning.
struct PlannedAct: Sendable {
    var after: Duration
    var act: Act
}

/// One thing that people do.
enum Act: Sendable {
    /// Drops a start request.
    case request(workflow: String, run: String?, inputs: String)
    /// Starts a run as `waybill run` does, from a process of its own.
    case command(workflow: String, run: String)
    /// Drops an answer or a control file.
    case answer(run: String, key: String, text: String, Way)
    case event(id: String, type: String, key: String?, n: Int)
    /// Completes what was half written.
    case complete(String)
}

/// How a file gets into an inbox.
enum Way: Sendable, CaseIterable {
    /// Written aside, and moved in.
    case moved
    /// As above, and synced.
    case synced
    /// Moved into the common inbox.
    case common
    /// Written in place, in two pieces.
    case halves
}

/// A kind of workflow, and what people do with a run of it.
struct Story: Sendable {
    let manifest: String
    let plan: @Sendable (_ run: String, inout [PlannedAct], inout SeededGenerator) -> Void
}

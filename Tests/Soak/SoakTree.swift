import Glibc
import Harness
import SystemPackage

/// The tree whose runs are held in flight.
struct SoakTree {
    let root: FilePath
    let waybill: FilePath
    var runs: FilePath { root.appending("runs") }
    var inbox: FilePath { runs.appending("inbox") }
    var journal: FilePath { runs.appending("journal.jsonl") }
    /// Files are written here and moved in, so that what is timed is a rename.
    var drafts: FilePath { root.appending("drafts") }
    var log: FilePath { root.appending("daemon.log") }

    init(in directory: FilePath, waybill: FilePath, seed: UInt64) throws {
        root = directory.appending("soak-\(seed)-\(getpid())")
        self.waybill = waybill
        try Disk.makeFolder(root)
        for name in ["workflows", "runs", "runs/inbox", "drafts"] { try Disk.makeFolder(root.pushing(FilePath(name))) }
        try Disk.write(Self.manifests, to: root.appending("workflows").appending("soak.yaml"))
    }

    func command(_ words: [String]) -> [String] { [waybill.string, "-C", root.string] + words }
    func folder(of run: String) -> FilePath { runs.appending(run) }
    func ledger(of run: String) -> FilePath { folder(of: run).appending("ledger.jsonl") }

    /// Of each kind of step that there is in daily work at least one; all steps of a run come one after the other, so that
    /// what follows an answer is the start of the next step.
    private static let manifests = """
        kind: Settings
        name: default
        concurrency: {runs: 1000, steps: 4}
        ---
        kind: Workflow
        name: order
        inputs: {pause: {type: string}}
        steps:
          - {id: price, set: {parcels: 2}}
          - {id: pack, run: [/bin/true]}
          - {id: cool, wait: {for: "${{ inputs.pause }}"}}
          - {id: approve, ask: {prompt: "Ship it?", approval: true}}
          - {id: approved, set: {approved: "${{ steps.approve.output.approve }}"}}
          - {id: paid, wait: {event: {type: order.paid, key: "${{ run.id }}"}}}
          - {id: ship, set: {amount: "${{ steps.paid.output.data.amount }}"}}
        ---
        kind: Workflow
        name: claim
        inputs: {pause: {type: string}}
        steps:
          - id: fetch
            run: test "$WAYBILL_ATTEMPT" -gt 1
            retry: {maxAttempts: 2, initial: 1s}
          - {id: parts, forEach: {items: [1, 2, 3], maxParallel: 2}, set: {part: "${{ item }}"}}
          - {id: decide, ask: {prompt: "Pay for it?", choices: [pay, refuse]}}
          - {id: decided, set: {decision: "${{ steps.decide.output }}"}}
          - {id: carry, call: {workflow: shipment, with: {pause: "${{ inputs.pause }}"}}}
        ---
        kind: Workflow
        name: shipment
        inputs: {pause: {type: string}}
        steps:
          - {id: load, run: [/bin/true]}
          - {id: drive, wait: {for: "${{ inputs.pause }}"}}
          - {id: unload, set: {unloaded: true}}
        ---
        kind: Workflow
        name: review
        inputs: {pause: {type: string}}
        vars: {rounds: {default: [], merge: append}}
        states:
          draft: {run: [/bin/true], update: {rounds: "${{ [visit] }}"}, next: rest}
          rest: {wait: {for: "${{ inputs.pause }}"}, next: judge}
          judge: {ask: {prompt: "Good?", choices: [again, good]}, next: judged}
          judged:
            set: {word: "${{ steps.judge.output }}"}
            next: [{if: "output.word == 'again'", to: draft}, {to: end}]
        """
}

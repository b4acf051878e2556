import Glibc
import Harness
import SystemPackage

/// The tree whose runs are tortured: what its steps do outside leaves a line in a file, appended with `O_APPEND`.
///
/// - `attempts/<run>`: each attempt that began, as `<step> <key> <attempt>`;
/// - `effects/<run>`: each effect, by its idempotency key.
///
/// Steps are of the kinds that a workflow's author has: those whose effect is asked for again under the same key
/// (`effect.sh`: `onUnknown: retry`, or asked about), and those that just do it (`charge.sh`: `onUnknown: check`, and no
/// retry of an attempt that was seen to fail).
struct TortureTree {
    let root: FilePath
    let waybill: FilePath
    var runs: FilePath { root.appending("runs") }
    var log: FilePath { root.appending("daemons.log") }

    init(in directory: FilePath, waybill: FilePath, seed: UInt64) throws {
        root = directory.appending("torture-\(seed)-\(getpid())")
        self.waybill = waybill
        try Disk.makeFolder(root)
        for name in ["workflows", "runs", "runs/inbox", "attempts", "effects"] {
            try Disk.makeFolder(root.pushing(FilePath(name)))
        }
        let workflows = root.appending("workflows")
        try Disk.write(Self.manifests, to: workflows.appending("torture.yaml"))
        for (name, text) in Self.scripts {
            let script = "#!/bin/sh\nset -eu\nrun=${WAYBILL_RUN_DIR##*/}\nkey=$WAYBILL_IDEMPOTENCY_KEY\n\(text)\n"
            try Disk.write(
                script, to: workflows.appending(name), permissions: [.ownerReadWriteExecute, .groupReadExecute])
        }
    }

    func command(_ words: [String]) -> [String] { [waybill.string, "-C", root.string] + words }
    func attempts(of run: String) -> FilePath { root.appending("attempts").appending(run) }
    func effects(of run: String) -> FilePath { root.appending("effects").appending(run) }
    func folder(of run: String) -> FilePath { runs.appending(run) }

    private static let note = #"echo "$WAYBILL_STEP $key $WAYBILL_ATTEMPT" >> "attempts/$run""#
    private static let effect = #"echo "$key" >> "effects/$run""#
    private static let isDone = #"grep -qx "$key" "effects/$run" 2> /dev/null"#

    /// Time for a kill: before what is done for some steps, for others between that and its end.
    private static func pause(_ keys: String) -> String { "case $key in \(keys)*) sleep 0.02 ;; esac" }

    private static let scripts = [
        "effect.sh": """
        \(note)
        \(pause("[0-7]"))
        { [ "$WAYBILL_ATTEMPT" -gt 1 ] && \(isDone); } || \(effect)
        \(pause("[89a-f]"))
        """,
        "charge.sh": """
        \(note)
        \(pause("[0-7]"))
        \(effect)
        \(pause("[89a-f]"))
        """,
        "flaky.sh": """
        \(note)
        [ "$WAYBILL_ATTEMPT" -gt 1 ] || exit 75
        \(isDone) || \(effect)
        """,
        "check.sh": isDone,
    ]

    private static let retry = "retry: {maxAttempts: 12, initial: 20ms, on: [exit, signal, timeout, executor]}"

    private static let manifests = """
        kind: Settings
        name: default
        concurrency: {runs: 200, steps: 6}
        ---
        kind: Workflow
        name: order
        inputs: {vetoed: {type: boolean}}
        \(retry)
        steps:
          - {id: reserve, run: [./effect.sh], onUnknown: retry, compensate: {run: [./effect.sh], onUnknown: retry}}
          - id: charge
            run: [./charge.sh]
            retry: {on: [executor]}
            onUnknown: {check: {run: [./check.sh]}}
            compensate: {on: started, run: [./effect.sh], onUnknown: retry}
          - {id: parts, forEach: {items: [1, 2, 3], maxParallel: 3}, run: [./effect.sh], onUnknown: retry}
          - {id: approve, ask: {prompt: "Ship it?", choices: [go]}}
          - {id: cool, wait: {for: 150ms}}
          - {id: flaky, run: [./flaky.sh], onUnknown: retry}
          - {id: ship, call: {workflow: shipment}}
          - {id: veto, if: inputs.vetoed, fail: {message: vetoed}}
          - {id: close, run: [./effect.sh]}
        finally:
          - {id: report, run: [./effect.sh], onUnknown: retry}
        ---
        kind: Workflow
        name: shipment
        \(retry)
        steps:
          - {id: pack, run: [./effect.sh], onUnknown: retry, compensate: {run: [./effect.sh], onUnknown: retry}}
          - {id: dry, wait: {for: 50ms}}
          - {id: carrier, ask: {prompt: "Which one?", choices: [sea, air]}}
          - id: book
            run: [./charge.sh]
            retry: {on: [executor]}
            onUnknown: {check: {run: [./check.sh]}}
            compensate: {on: started, run: [./effect.sh], onUnknown: retry}
        ---
        kind: Workflow
        name: review
        \(retry)
        vars: {rounds: {default: [], merge: append}}
        states:
          draft: {run: [./effect.sh], onUnknown: retry, update: {rounds: "${{ [visit] }}"}, next: rest}
          rest: {wait: {for: 30ms}, next: review}
          review:
            ask: {prompt: "Good?", choices: [again, good]}
            maxVisits: 100
            next: [{if: "output == 'again'", to: draft}, {to: publish}]
          publish: {run: [./effect.sh], next: end}
        """
}

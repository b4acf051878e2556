package import SystemPackage

/// Names inside a run's folder.
package enum RunFolder {
    package static let ledger: FilePath = "ledger.jsonl"
    package static let glance: FilePath = "run.json"
    package static let definition: FilePath = "definition"
    package static let index: FilePath = "definition/index.json"
    package static let checkpoints: FilePath = "checkpoints"
    package static let snapshots: FilePath = "snapshots"
    package static let waits: FilePath = "waits"
    package static let inbox: FilePath = "inbox"
    package static let steps: FilePath = "steps"
    package static let artifacts: FilePath = "artifacts/sha256"
}

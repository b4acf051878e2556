import WaybillCore
import WaybillEngine
import WaybillManifests

/// Checkpoints: whatever the bytes are, they are refused or read, and what was read is written as it is read again.
func fuzzCheckpoint(_ bytes: [UInt8]) {
    guard let workflow = CheckpointSample.workflow,
        let state = try? RunState(checkpoint: bytes, definition: workflow)
    else { return }
    let written = state.checkpointBytes()
    guard let again = try? RunState(checkpoint: written, definition: workflow) else {
        return require(false, "what is written can be read")
    }
    require(again.checkpointBytes() == written, "a checkpoint has one spelling")
    require(RunProjection.bytes(again) == RunProjection.bytes(state), "both show the same run")
}

/// The workflow that the seeds are checkpoints of.
private enum CheckpointSample {
    static let workflow: WorkflowDefinition? = {
        let text = """
            kind: Workflow
            name: w
            vars: {log: {default: [], merge: append}}
            steps:
              - {id: load, forEach: {items: [x, y], maxParallel: 1}, run: [echo, "${{ item }}"], output: text, compensate: {run: [echo]}}
              - {id: group, steps: [{id: a, run: [echo, a], output: {format: text, sensitive: true}}, {id: b, wait: {for: 1s}}]}
              - {id: mark, snapshot: {name: half}}
              - {id: ask, needs: [group], ask: {prompt: Go?, approval: true, timeout: 1h, default: {approve: true}}}
            """
        let source = SourceFile(path: "workflows/w.yaml", bytes: Array(text.utf8))
        return Catalog.load([source]) { _ in true }.workflows["w"]
    }()
}

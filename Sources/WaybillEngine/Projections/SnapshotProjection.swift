import WaybillCore

/// `snapshots/<name>.json`: a bookmark, made from the state alone.
package enum SnapshotProjection {
    package static func bytes(_ snapshot: SnapshotRecord, run: String, workflow: String) -> [UInt8] {
        var writer = JSONWriter(style: .pretty)
        writer.beginObject()
        writer.member("format", 1 as Int)
        writer.member("name", snapshot.name)
        writer.member("description", snapshot.description)
        writer.member("tags", Value.list(snapshot.tags.map(Value.string)))
        writer.member("run", run)
        writer.member("workflow", workflow)
        writer.member("seq", snapshot.seq)
        writer.member("at", snapshot.at.description)
        writer.member("step", snapshot.step)
        writer.member("by", snapshot.by)
        writer.endObject()
        return writer.finish()
    }
}

import SystemPackage
package import WaybillCore
package import WaybillPorts
import WaybillStore

/// Opens what people need for answering to a group, and nothing else.
///
/// | place | mode |
/// | --- | --- |
/// | `runs/`, `.waybill/` | 0750 |
/// | `runs/inbox/`, `runs/<run-id>/inbox/` | 03770: everybody of the group drops files, nobody touches another's |
/// | `runs/<run-id>/`, `runs/<run-id>/waits/` | 02750 |
/// | `run.json`, `waits/*.json`, `.waybill/daemon.lock` | 0640 |
///
/// Ledgers, definitions, steps, artifacts and what became of files that were dropped stay Waybill's own.
package struct TreeAccess: Sendable {
    package static let open: UInt16 = 0o3770
    package static let folder: UInt16 = 0o2750
    package static let root: UInt16 = 0o750
    package static let file: UInt16 = 0o640
    private static let waitLimit = 1_000_000

    private let group: UInt32

    /// - Parameter groupName: as `Settings.access.group` names it; nil if there is none, or the machine has no such group.
    package init?(_ groupName: String?) {
        guard let groupName, let group = Accounts.groupID(of: groupName) else { return nil }
        self.group = group
    }

    /// Opens the tree itself.
    /// - Throws: `.denied` where this process is not of the group.
    package func open(_ tree: Tree) throws(FileSystemError) {
        try makeOwnFolders(of: "runs/inbox", in: tree.root)
        try set("runs", Self.root, in: tree.root)
        try set(".waybill", Self.root, in: tree.root)
        try set(".waybill/daemon.lock", Self.file, in: tree.root)
        try set("runs/inbox", Self.open, in: tree.root)
    }

    /// Opens a run: its questions and its inbox.
    /// - Throws: `.denied` where this process is not of the group.
    package func open(_ run: RunID, in runs: any Directory) throws(FileSystemError) {
        let folder = FilePath(run.text)
        try makeOwnFolders(of: folder.pushing(RunFolder.inbox), in: runs)
        try set(folder.pushing(RunFolder.waits), Self.folder, in: runs)
        try set(folder.pushing(RunFolder.glance), Self.file, in: runs)
        for entry in try runs.entries(folder.pushing(RunFolder.waits), limit: Self.waitLimit) ?? [] {
            try set(folder.pushing(RunFolder.waits).appending(entry.name), Self.file, in: runs)
        }
        try set(folder.pushing(RunFolder.inbox), Self.open, in: runs)
        // Last: who finds the folder open finds everything in it as it should be.
        try set(folder, Self.folder, in: runs)
    }

    /// These are there before anybody else can make them. Whoever uses `.claimed/` first makes its name durable.
    private func makeOwnFolders(of inbox: FilePath, in directory: any Directory) throws(FileSystemError) {
        _ = try directory.createDirectory(inbox.appending(".claimed"), permissions: InboxDoor.unfinished)
        for name in ["accepted", "rejected"] {
            _ = try directory.createDirectory(inbox.appending(name), permissions: Permissions.folder)
        }
    }

    private func set(_ path: FilePath, _ permissions: UInt16, in directory: any Directory) throws(FileSystemError) {
        guard let status = try directory.status(path),
            status.groupID != group || status.permissions != permissions
        else { return }
        _ = try directory.setAccess(path, group: group, permissions: permissions)
    }
}

import Glibc
import SystemPackage
import WaybillCore
import WaybillManifests
import WaybillPorts
import WaybillRuntime
import WaybillStore

/// Whether those can answer whom the settings let, and nobody else.
struct AccessChecks {
    /// No more places are named.
    private static let named = 5

    let tree: Tree

    var all: [Check] {
        guard let settings = try? SourceTree(root: tree.root).catalog.settings else { return [] }
        return [settings.accessGroup.map(access), settings.signers.map(signers)].compactMap { $0 }
    }

    // MARK: - The group

    private func access(_ name: String) -> Check {
        guard let group = Accounts.groupID(of: name) else {
            return .wrong("access", "this machine has no group '\(name)'", hint: "groupadd \(name)")
        }
        guard isMember(of: group) else {
            return .wrong(
                "access", "\(tree.user) is not in the group '\(name)', so nothing can be given to it",
                hint: "usermod -aG \(name) \(tree.user), and start the daemon anew")
        }
        let places = closedPlaces(group)
        guard places.isEmpty else {
            let shown = places.prefix(Self.named).joined(separator: ", ")
            let more = places.count > Self.named ? " and \(places.count - Self.named) more" : ""
            return .wrong(
                "access", "not open to the group '\(name)': \(shown)\(more)",
                hint: "a daemon opens them as it starts; the folders above the tree are yours to open (chmod o+x)")
        }
        return .fine("access", "questions and inboxes are open to the group '\(name)'")
    }

    private func isMember(of group: UInt32) -> Bool {
        if geteuid() == 0 || getegid() == group { return true }
        let count = getgroups(0, nil)
        guard count > 0 else { return false }
        var groups = [gid_t](repeating: 0, count: Int(count))
        return getgroups(count, &groups) > 0 && groups.contains(group)
    }

    /// What the group cannot reach, or can change that it must not.
    private func closedPlaces(_ group: UInt32) -> [String] {
        var places: [String] = []
        var above = tree.layout.root
        while above.components.count > 0 {
            var status = stat()
            let isOpen =
                stat(above.string, &status) == 0
                && (status.st_mode & 0o001 != 0 || (status.st_gid == group && status.st_mode & 0o010 != 0))
            if !isOpen { places.append(above.string) }
            above.removeLastComponent()
        }
        check("runs", TreeAccess.root, group, &places)
        check("runs/inbox", TreeAccess.open, group, &places)
        let index = try? tree.journal.index(following: true)
        for run in index?.open ?? [] {
            let folder = FilePath("runs").appending(run.text)
            guard (try? tree.root.status(folder)) != nil else { continue }
            check(folder, TreeAccess.folder, group, &places)
            check(folder.pushing(RunFolder.inbox), TreeAccess.open, group, &places)
        }
        return places
    }

    private func check(_ path: FilePath, _ permissions: UInt16, _ group: UInt32, _ places: inout [String]) {
        guard let status = try? tree.root.status(path), status.groupID == group, status.permissions == permissions
        else { return places.append(path.string) }
    }

    // MARK: - Signers

    private func signers(_ path: String) -> Check {
        guard let status = try? tree.root.status(FilePath(path)), status.kind == .file else {
            return .wrong(
                "signers", "\(path) is no file, so no signature counts", hint: "see ALLOWED SIGNERS in ssh-keygen(1)")
        }
        guard status.permissions & 0o022 == 0 else {
            return .wrong(
                "signers", "others may write \(path), and so say who may sign", hint: "chmod go-w \(path)")
        }
        return .fine("signers", "signatures are compared with \(path)")
    }
}

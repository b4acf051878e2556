import Glibc
import WaybillManifests
import WaybillProcesses
import WaybillRuntime

/// What keeps steps within their bounds here.
struct SandboxChecks {
    let tree: Tree
    let landlock: LandlockSupport
    let isRoot: Bool

    init(tree: Tree, landlock: LandlockSupport = .ofMachine, isRoot: Bool = geteuid() == 0) {
        self.tree = tree
        self.landlock = landlock
        self.isRoot = isRoot
    }

    var all: [Check] {
        let settings = (try? SourceTree(root: tree.root))?.catalog.settings
        return [limits, Self.sandbox(settings?.sandbox ?? .off, landlock)]
    }

    private var limits: Check {
        let always = "steps have umask 077, leave no core files and gain no privileges; `limits` are resource limits"
        guard isRoot else { return .fine("limits", always) }
        return .note(
            "limits", "\(always), but root may have any number of processes",
            hint: "let Waybill work as a user of its own")
    }

    static func sandbox(_ mode: SettingsDefinition.Sandbox, _ landlock: LandlockSupport) -> Check {
        let folders = "runs/, workflows/, hooks/ and .waybill/"
        if mode == .off {
            return .note(
                "sandbox", "off: steps can change \(folders)",
                hint: "`sandbox: standard` or `strict` in the settings keeps them from it")
        }
        switch landlock {
        case .active(let version):
            let who = mode == .strict ? "no step" : "no step that begins outside of the tree's root"
            let hint = mode == .strict ? nil : "`sandbox: strict` in the settings keeps the others from it, too"
            return Check(
                name: "sandbox", level: .fine, message: "\(who) can change \(folders) (Landlock \(version))", hint: hint
            )
        case .tooOld(let version):
            return .note(
                "sandbox", "steps can change \(folders): Landlock \(version) is too old",
                hint: "it takes Linux 5.19 or newer")
        case .disabled:
            return .note(
                "sandbox", "steps can change \(folders): Landlock is not switched on",
                hint: "boot with landlock in `lsm=`")
        case .missing:
            return .note(
                "sandbox", "steps can change \(folders): this kernel has no Landlock",
                hint: "it takes Linux 5.19 or newer, built with CONFIG_SECURITY_LANDLOCK")
        }
    }
}

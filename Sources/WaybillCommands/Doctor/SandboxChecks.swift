import Glibc
import WaybillManifests
import WaybillProcesses
import WaybillRuntime

/// What keeps steps within their bounds here.
struct SandboxChecks {
    let tree: Tree
    let landlock: LandlockSupport
    let groups: GroupSupport
    let isRoot: Bool

    init(
        tree: Tree, landlock: LandlockSupport = .ofMachine, groups: GroupSupport = .ofProcess,
        isRoot: Bool = geteuid() == 0
    ) {
        self.tree = tree
        self.landlock = landlock
        self.groups = groups
        self.isRoot = isRoot
    }

    var all: [Check] {
        let settings = (try? SourceTree(root: tree.root))?.catalog.settings
        return [limits, Self.groups(groups), Self.sandbox(settings?.sandbox ?? .off, landlock)]
    }

    private var limits: Check {
        let always = "steps have umask 077, leave no core files and gain no privileges; `limits` are resource limits"
        if case .active(_, processes: true) = groups { return .fine("limits", always) }
        guard isRoot else { return .fine("limits", always) }
        return .note(
            "limits", "\(always), but root may have any number of processes",
            hint: "let Waybill work as a user of its own")
    }

    static func groups(_ groups: GroupSupport) -> Check {
        let each = "`limits` hold each process of a step, and none as a whole"
        switch groups {
        case .active(memory: true, processes: true):
            return .fine("groups", "`limits` of memory and processes hold a step as a whole, in a control group")
        case .active(let memory, let processes):
            let lacking = [memory ? nil : "memory", processes ? nil : "pids"].compactMap { $0 }
            return .note(
                "groups",
                "not all `limits` hold a step as a whole: the control group given has no \(lacking.joined(separator: " and "))",
                hint: "let whoever gives it give these controllers, too: `Delegate=memory pids`")
        case .notDelegated:
            return .note(
                "groups", "\(each): no control group was given to Waybill here",
                hint: "`waybill@.service` has one under systemd 254 or newer, whatever is said here")
        case .missing:
            return .note("groups", "\(each): this machine has no control groups of version 2")
        }
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

import CLinux
import Glibc

/// Whether attempts get control groups of their own here, which hold a step as a whole (`cgroups(7)`, version 2).
package enum GroupSupport: Hashable, Sendable {
    /// A group was given to whoever asks; what its controllers can limit.
    case active(memory: Bool, processes: Bool)
    /// Nobody gave a group away.
    case notDelegated
    /// There is no hierarchy of version 2.
    case missing

    /// What a supervisor has that this process starts.
    package static var ofProcess: GroupSupport {
        var path = [CChar](repeating: 0, count: Int(PATH_MAX))
        switch wb_find_groups(&path) {
        case 0:
            let controllers = wb_group_controllers(path)
            return .active(
                memory: controllers & Int32(WB_GROUP_MEMORY) != 0,
                processes: controllers & Int32(WB_GROUP_PROCESSES) != 0)
        case -EPERM: return .notDelegated
        default: return .missing
        }
    }
}

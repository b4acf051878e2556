import CLinux
import Glibc

/// Whether this machine's kernel can keep programs from changing what they must not.
package enum LandlockSupport: Hashable, Sendable {
    /// Its version, which is high enough.
    case active(version: Int)
    /// A version in which confined programs could not move files from folder to folder.
    case tooOld(version: Int)
    /// Built in, and not switched on at boot.
    case disabled
    /// Not built in, or too old to know it.
    case missing

    /// What the kernel says.
    package static var ofMachine: LandlockSupport { LandlockSupport(answer: wb_landlock_version()) }

    /// - Parameter answer: the version, or a negative `errno`.
    init(answer: Int32) {
        switch answer {
        case Int32(WB_LEAST_LANDLOCK)...: self = .active(version: Int(answer))
        case 0...: self = .tooOld(version: Int(answer))
        case -EOPNOTSUPP: self = .disabled
        default: self = .missing
        }
    }
}

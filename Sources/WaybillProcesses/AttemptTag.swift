import CLinux
import Glibc
import Synchronization

/// The mark that everything a program starts carries, so that it can be found when it has changed its process group,
/// its session, its environment and its parent.
///
/// The mark is the resource limit `RLIMIT_LOCKS`, which Linux has kept without a meaning since 2.4.25 (`setrlimit(2)`):
/// children inherit it, `exec` keeps it, reading it takes one system call, and a program that loses it must do so
/// on purpose. A limit may only be lowered, and a step may itself run Waybill; therefore a mark has three parts, those
/// of deeper levels being all ones in the mark of a higher one. So an outer launcher recognises what an inner one left.
package struct AttemptTag: Hashable, Sendable {
    /// The limit's value.
    let value: UInt64
    /// The bits that this level and those above it decide.
    private let mask: UInt64

    /// What distinguishes the tags of one level: 30 bits at the top, 16 and 16 below.
    enum Level: UInt64 {
        case first = 32
        case second = 16
        case third = 0

        /// The level below what this process itself is marked with; nil if there is none left, or a foreign limit is
        /// in the way.
        init?(inherited: UInt64) {
            if inherited >= 1 << 62 {
                self = .first
            } else if inherited >= 1 << 32, inherited & 0xFFFF_FFFF == 0xFFFF_FFFF {
                self = .second
            } else if inherited >= 1 << 32, inherited & 0xFFFF == 0xFFFF {
                self = .third
            } else {
                return nil
            }
        }
    }

    // Marks are told apart among the children of one process, so the process counts them, not each launcher.
    private static let counter = Atomic<UInt64>(UInt64.random(in: 1...UInt64.max >> 16))

    init(level: Level, inherited: UInt64, number: UInt64) {
        let shift = level.rawValue
        let above: UInt64 = level == .first ? 0 : inherited & ~0 << (shift + 16)
        // All ones would read as the mark of the level above, and all zeros at the top as a foreign limit.
        let own = 1 + number % (level == .first ? (1 << 30) - 2 : (1 << 16) - 2)
        value = above | own << shift | ((1 << shift) - 1)
        mask = ~0 << shift
    }

    /// The next mark for a child of this process; nil if its own limit leaves no room, which is so in the fourth
    /// Waybill within another. Then sessions alone say what belongs together.
    static func next() -> AttemptTag? {
        var inherited: UInt64 = 0
        guard waybill_process_tag(0, &inherited) == 0, let level = Level(inherited: inherited) else { return nil }
        let number = counter.wrappingAdd(1, ordering: .relaxed).newValue
        return AttemptTag(level: level, inherited: inherited, number: number)
    }

    /// Whether a process with this limit belongs to this mark.
    func covers(_ limit: UInt64) -> Bool { limit & mask == value & mask }

    /// Whether a process carries this mark now; false if it is gone or its limits are not ours to read.
    func isCarried(by pid: Int32) -> Bool {
        var limit: UInt64 = 0
        return waybill_process_tag(pid, &limit) == 0 && covers(limit)
    }
}

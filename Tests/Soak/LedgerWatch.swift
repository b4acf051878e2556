import CLinux
import Glibc
import Harness
import SystemPackage

/// Tells which ledgers have grown, without looking at them (inotify(7)).
final class LedgerWatch {
    /// What a look at the kernel's queue gave.
    struct Changes {
        /// Folders that came into being in `runs/`.
        var begun: [String] = []
        /// Runs whose ledgers have grown.
        var grown: Set<String> = []
        /// Whether there was more than the queue holds.
        var isIncomplete = false
    }

    private let descriptor: Int32
    private let runs: Int32
    private var names: [Int32: String] = [:]
    private var watches: [String: Int32] = [:]
    private var buffer = [UInt8](repeating: 0, count: 1 << 16)

    init(_ folder: FilePath) throws {
        descriptor = inotify_init1(Int32(IN_CLOEXEC) | Int32(IN_NONBLOCK))
        guard descriptor >= 0 else { throw Errno(rawValue: errno) }
        runs = inotify_add_watch(descriptor, folder.string, UInt32(IN_MOVED_TO))
        guard runs >= 0 else { throw Errno(rawValue: errno) }
    }

    deinit { close(descriptor) }

    /// Tells from now on when this ledger grows.
    func add(_ run: String, _ ledger: FilePath) throws {
        let watch = inotify_add_watch(descriptor, ledger.string, UInt32(IN_MODIFY))
        guard watch >= 0 else { throw Problem("the ledger of \(run) cannot be watched: \(Errno(rawValue: errno))") }
        (names[watch], watches[run]) = (run, watch)
    }

    func remove(_ run: String) {
        guard let watch = watches.removeValue(forKey: run) else { return }
        names[watch] = nil
        inotify_rm_watch(descriptor, watch)
    }

    /// Sleeps until there is something, for at most so many seconds.
    func wait(seconds: Double) {
        var entry = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        poll(&entry, 1, Int32((max(0, seconds) * 1_000).rounded(.up)))
    }

    /// All that is in the queue by now.
    func read() -> Changes {
        var changes = Changes()
        while true {
            let count = Glibc.read(descriptor, &buffer, buffer.count)
            guard count > 0 else { return changes }
            buffer.withUnsafeBytes { bytes in
                var offset = 0
                let head = MemoryLayout<inotify_event>.size
                while offset + head <= count {
                    let event = bytes.loadUnaligned(fromByteOffset: offset, as: inotify_event.self)
                    let name = bytes[(offset + head)..<(offset + head + Int(event.len))].prefix { $0 != 0 }
                    take(event, String(decoding: name, as: UTF8.self), &changes)
                    offset += head + Int(event.len)
                }
            }
        }
    }

    private func take(_ event: inotify_event, _ name: String, _ changes: inout Changes) {
        if event.mask & UInt32(IN_Q_OVERFLOW) != 0 {
            changes.isIncomplete = true
        } else if event.wd == runs {
            changes.begun.append(name)
        } else if let run = names[event.wd] {
            changes.grown.insert(run)
        }
    }
}

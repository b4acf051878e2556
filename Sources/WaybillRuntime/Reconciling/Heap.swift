import CLinux

/// The memory that this process has from the kernel.
enum Heap {
    /// Gives back what is free: each of many threads that opened runs has kept some hundred KiB for the next one.
    static func giveBack() { waybill_trim_memory() }
}

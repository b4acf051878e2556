internal import Glibc
internal import Synchronization
internal import SystemPackage
internal import WaybillCore
internal import WaybillEngine
internal import WaybillPorts

/// Checks the greater part of a long ledger on as many threads as there are processors.
struct LedgerStretches {
    /// A shorter one costs about as much on a thread as it saves.
    static let shortest = 4 << 20
    /// Asked once: each time a file is read to find out.
    static let machineProcessors = Int(sysconf(Int32(_SC_NPROCESSORS_ONLN)))

    let folder: any Directory
    let path: FilePath
    let knownHeads: [Int: Digest]
    var shortest = Self.shortest
    var processors = Self.machineProcessors

    /// - Parameter head: where to begin.
    /// - Returns: up to where the ledger is right: the head itself where nothing is known of what follows.
    func check(_ file: any File, from head: LedgerHead) throws(FileSystemError) -> LedgerHead {
        let bounds = try bounds(of: file, from: head.length)
        guard bounds.count > 2 else { return head }
        let checked = Mutex([LedgerStretch?](repeating: nil, count: bounds.count - 1))
        let threads = (1..<bounds.count).map { number in
            DedicatedThread(name: "waybill-verify") {
                let stretch = self.stretch(bounds[number - 1]..<bounds[number])
                checked.withLock { $0[number - 1] = stretch }
            }
        }
        for thread in threads { thread?.join() }
        var joint = LedgerStretch.Joint(after: head)
        for stretch in checked.withLock({ $0 }) {
            guard let joined = stretch?.join(joint) else { break }
            joint = joined
        }
        return joint.head
    }

    /// Where lines begin, about as far from each other, and the end of the file.
    private func bounds(of file: any File, from start: Int) throws(FileSystemError) -> [Int] {
        let end = Int(try file.status().size)
        let count = min(processors, (end - start) / shortest)
        var bounds = [start]
        guard count > 1 else { return bounds }
        for number in 1..<count {
            let place = start + (end - start) / count * number
            guard let line = try nextLine(of: file, from: place), line > bounds[number - 1] else { break }
            bounds.append(line)
        }
        return bounds + [end]
    }

    private func nextLine(of file: any File, from place: Int) throws(FileSystemError) -> Int? {
        var place = place
        while case let bytes = try file.read(at: Int64(place), count: 4_096), !bytes.isEmpty {
            if let newline = bytes.firstIndex(of: UInt8(ascii: "\n")) { return place + newline + 1 }
            place += bytes.count
        }
        return nil
    }

    /// Nil where the disk fails; whoever reads it again learns why.
    private func stretch(_ range: Range<Int>) -> LedgerStretch? {
        guard let file = (try? folder.open(path, .read)) ?? nil else { return nil }
        defer { file.close() }
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: ChainFile.chunkSize, alignment: 16)
        defer { buffer.deallocate() }
        var stretch = LedgerStretch(at: range.lowerBound, knownHeads: knownHeads)
        var offset = range.lowerBound
        while offset < range.upperBound {
            let wanted = UnsafeMutableRawBufferPointer(
                rebasing: buffer[..<min(buffer.count, range.upperBound - offset)])
            guard let count = try? file.readFully(into: wanted, at: Int64(offset)), count > 0 else { return nil }
            stretch.feed(UnsafeRawBufferPointer(rebasing: wanted[..<count]))
            offset += count
        }
        return stretch
    }
}

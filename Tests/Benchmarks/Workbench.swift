import Glibc
import SystemPackage
import WaybillPorts
import WaybillRuntime
import WaybillStore

/// Where the suites work: a folder on the file system that is measured, emptied at the end.
struct Workbench {
    let directory: FilePath
    /// The command that is started.
    let waybill: FilePath
    let isQuick: Bool
    private let number = SharedCounter()
    /// Seconds after which the rounds of one figure are enough.
    private static let patience = 8.0

    init(_ options: Options) throws {
        isQuick = options.isQuick
        let program = try Self.program().removingLastComponent()
        waybill = options.waybill ?? program.appending("waybill")
        let parent = options.directory ?? program
        directory = parent.appending("benchmarks-\(getpid())")
        guard mkdir(directory.string, 0o700) == 0 else {
            throw BenchmarkError(description: "cannot make \(directory): \(Errno(rawValue: errno))")
        }
    }

    private static func program() throws -> FilePath {
        var buffer = [CChar](repeating: 0, count: Int(PATH_MAX))
        let count = readlink("/proc/self/exe", &buffer, buffer.count)
        guard count > 0 else { throw Errno(rawValue: errno) }
        return FilePath(String(decoding: buffer[..<count].map { UInt8(bitPattern: $0) }, as: UTF8.self))
    }

    /// A path in the folder that was not given out before.
    func path(_ name: String) -> FilePath {
        directory.appending("\(name)-\(number.increment())")
    }

    /// Does something so many times, or fewer for a quick look or where the disk is busy: twice at least.
    func rounds(_ count: Int, _ body: () async throws -> Void) async throws {
        let watch = Stopwatch()
        for round in 0..<(isQuick ? min(2, count) : count) {
            if round >= 2, watch.seconds > Self.patience { return }
            try await body()
        }
    }

    /// A size, or a tenth of it for a quick look.
    func size(_ count: Int) -> Int { isQuick ? max(1, count / 10) : count }

    func remove(_ path: FilePath) {
        guard let name = path.lastComponent,
            let parent = try? LocalFileSystem().openDirectory(path.removingLastComponent())
        else { return }
        _ = try? parent.removeTree(FilePath(name.string))
    }

    func cleanUp() { remove(directory) }
}

import Testing

/// The arrows of the house: which room may import which, and what the pure rooms may import at all.
struct ImportTests {
    /// The rooms from top to bottom; a room imports rooms above it.
    private static let rooms = [
        "CLibYAML", "CLinux", "WaybillCore", "WaybillExpressions", "WaybillManifests", "WaybillEngine",
        "WaybillPorts", "WaybillStore", "WaybillProcesses", "WaybillWatching", "WaybillHTTP", "WaybillRuntime",
        "WaybillTestKit", "WaybillCommands", "waybill", "waybill-supervisor",
    ]

    /// Adapters know ports, never each other.
    private static let adapters: Set = ["WaybillStore", "WaybillProcesses", "WaybillWatching", "WaybillHTTP"]

    /// The pure rooms, and the only modules that each may import besides rooms above it.
    private static let pure: [String: Set<String>] = [
        "WaybillCore": ["Crypto"],
        "WaybillExpressions": [],
        "WaybillManifests": ["CLibYAML", "Synchronization"],
        "WaybillEngine": ["Synchronization"],
    ]

    /// C modules that a room may import although it is no adapter.
    private static let mayImportC: [String: Set<String>] = ["CLibYAML": ["WaybillManifests"]]

    private struct Import {
        let place: String
        let room: String
        let module: String
    }

    /// The module that a line of code imports, if it is an import.
    private static func module(importedBy line: String) -> String? {
        let declaration =
            #/
            ^\s*(?:@\w+\s+)*(?:(?:public|package|internal|private|fileprivate)\s+)?
            import\s+(?:(?:struct|class|enum|protocol|func|var|let|typealias)\s+)?(\w+)
            /#
        return line.firstMatch(of: declaration).map { String($0.1) }
    }

    private static func imports() throws -> [Import] {
        try Tree.current.files(in: "Sources", suffix: ".swift").flatMap { file in
            file.code.compactMap { number, text in
                guard let room = file.room, let module = module(importedBy: text) else { return nil }
                return Import(place: "\(file.path):\(number)", room: room, module: module)
            }
        }
    }

    @Test("every room of Sources is in the plan")
    func everyRoomIsKnown() throws {
        let found = Set(try Tree.current.files(in: "Sources").compactMap(\.room))
        #expect(found.subtracting(Self.rooms).sorted() == [])
    }

    @Test("imports point to rooms above, and no adapter imports another")
    func arrowsPointDownwards() throws {
        var wrong: [String] = []
        for entry in try Self.imports() {
            guard let from = Self.rooms.firstIndex(of: entry.room), let to = Self.rooms.firstIndex(of: entry.module)
            else { continue }
            if to >= from {
                wrong.append("\(entry.place): \(entry.room) imports \(entry.module), which lies below it")
            }
            if Self.adapters.contains(entry.room), Self.adapters.contains(entry.module) {
                wrong.append("\(entry.place): the adapter \(entry.room) imports the adapter \(entry.module)")
            }
            if let allowed = Self.mayImportC[entry.module], !allowed.contains(entry.room) {
                wrong.append("\(entry.place): \(entry.module) is for \(allowed.sorted().joined(separator: ", ")) alone")
            }
        }
        #expect(wrong == [])
    }

    @Test("the test kit is imported by tests alone")
    func testKitStaysInTests() throws {
        let wrong = try Self.imports().filter { $0.module == "WaybillTestKit" }
        #expect(wrong.map(\.place) == [])
    }

    @Test("the pure rooms import no Foundation, no C library and nothing that does input or output")
    func pureRoomsStayPure() throws {
        let wrong = try Self.imports().filter { entry in
            guard let allowed = Self.pure[entry.room] else { return false }
            let isRoomAbove = entry.module.hasPrefix("Waybill") && entry.module != "WaybillPorts"
            return !isRoomAbove && !allowed.contains(entry.module)
        }
        #expect(wrong.map { "\($0.place): \($0.module)" } == [])
    }

    @Test("the pure rooms read no clock, no environment and no random numbers, and suspend nowhere")
    func pureRoomsReadNothing() throws {
        let impure =
            #/
            (?:^|[^\w.])(?:print|debugPrint|dump|readLine)\( | \bCommandLine\. | \bProcessInfo\b
            | \b(?:Continuous|Suspending)Clock\b | \bSystemRandomNumberGenerator\b | \.random\( | \.shuffled\(\)
            | \bawait\b | \bTask\s*[{.]
            /#
        let files = try Tree.current.files(in: "Sources", suffix: ".swift").filter { file in
            file.room.map { Self.pure.keys.contains($0) } == true
        }
        let found: [String] = files.flatMap { $0.matches(of: impure) }
        #expect(found.filter { !$0.contains("func ") } == [])
    }

    @Test("no source imports Foundation, whose start-up every command would pay for")
    func noFoundation() throws {
        let foundations: Set = ["Foundation", "FoundationEssentials", "FoundationNetworking"]
        let wrong = try Self.imports().filter { foundations.contains($0.module) }
        #expect(wrong.map(\.place) == [])
    }

    @Test(
        "every form of an import is read",
        arguments: [
            "import Glibc", "package import Glibc", "@testable import Glibc", "internal import struct Glibc.stat",
            "    @preconcurrency private import func Glibc.open",
        ])
    func everyFormIsRead(line: String) {
        #expect(Self.module(importedBy: line) == "Glibc")
    }

    @Test("what only speaks of imports is no import", arguments: ["let text = \"import Glibc\"", "important Glibc"])
    func otherLinesAreNoImports(line: String) {
        #expect(Self.module(importedBy: line) == nil)
    }
}

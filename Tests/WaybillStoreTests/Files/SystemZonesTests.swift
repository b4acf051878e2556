import Glibc
import SystemPackage
import Testing
import WaybillExpressions
import WaybillPorts
import WaybillStore
import WaybillTestKit

@Suite("The machine's time zones")
struct SystemZonesTests {
    /// A file of the second version with no transition and one rule.
    private func file(_ rule: String) -> [UInt8] {
        let counts: [UInt8] = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 4]
        let block = Array("TZif2".utf8) + [UInt8](repeating: 0, count: 15) + counts
        let type: [UInt8] = [0, 0, 0, 0, 0, 0] + Array("AAA\0".utf8)
        return block + type + block + type + Array("\n\(rule)\n".utf8)
    }

    @Test("zones are read by name, and again when their file has changed")
    func reading() throws {
        let scratch = try ScratchDirectory()
        try scratch.directory.createDirectories("Area")
        try scratch.directory.write(file("AAA-2"), toNew: "Area/Place", durability: .relaxed)
        #expect(symlink("Area/Place", scratch.path.appending("Other").string) == 0)
        let zones = SystemZones(folder: scratch.path)
        #expect(zones.file(zone: "Area/Place")?.offsetSeconds(at: 0) == 7_200)
        #expect(zones.file(zone: "Other")?.offsetSeconds(at: 0) == 7_200)
        #expect(zones.file(zone: "Area/Place")?.offsetSeconds(at: 0) == 7_200)
        try scratch.directory.replace("Area/Place", with: file("AAA-3:30"), durability: .relaxed)
        #expect(zones.file(zone: "Area/Place")?.offsetSeconds(at: 0) == 12_600)
        #expect(zones.lack == nil)
    }

    @Test("what is missing, damaged, huge or no file is no zone, and no name leaves the folder")
    func refusing() throws {
        let scratch = try ScratchDirectory()
        try scratch.directory.createDirectories("in")
        try scratch.directory.write(file("AAA-2"), toNew: "Outside", durability: .relaxed)
        try scratch.directory.write(Array("TZif2".utf8), toNew: "in/Short", durability: .relaxed)
        try scratch.directory.write(
            file("AAA-2") + [UInt8](repeating: 10, count: 1 << 20), toNew: "in/Huge", durability: .relaxed)
        #expect(mkfifo(scratch.path.appending("in/Pipe").string, 0o600) == 0)
        let zones = SystemZones(folder: scratch.path.appending("in"))
        for name in ["Missing", "Short", "Huge", "Pipe", ".", "..", "../Outside", "/Outside", "", "a\0b", "A//B"] {
            #expect(zones.file(zone: name) == nil, "\(name)")
        }
    }

    @Test("a machine without zones knows UTC, and says what is lacking")
    func lacking() throws {
        let scratch = try ScratchDirectory()
        let zones = SystemZones(folder: scratch.path.appending("none"))
        #expect(zones.file(zone: "UTC")?.offsetSeconds(at: 0) == 0)
        #expect(zones.file(zone: "Europe/Paris") == nil)
        let lack = try #require(zones.lack)
        #expect(lack.hasPrefix("this machine has no time-zone files in \(scratch.path.string)/none"))
    }
}

import CLinux
import Glibc
import SystemPackage
import Testing
import WaybillCore
import WaybillPorts
import WaybillTestKit

@testable import WaybillProcesses

@Suite("A confined program")
struct ConfinementTests {
    private static let isOffered = wb_landlock_version() >= Int32(WB_LEAST_LANDLOCK)
    private static let why: Comment = "needs a kernel with Landlock"

    /// A tree with one thing of each kind, and what a program there can change.
    private func changes(in place: String, isStrict: Bool = false) async throws -> String {
        let bench = try Bench()
        for folder in ["closed", "closed/open", "free", "free/deep", "closed.not"] {
            _ = bench.folder.makeFolder(folder)
        }
        let text = """
            can() { if (eval "$2") 2>/dev/null; then printf '%s ' "$1"; fi; }
            cd "$1"
            can root 'echo > new'
            can free 'echo > free/x && mv free/x free/deep/y && ln free/deep/y free/z && rm free/z'
            can alike 'echo > closed.not/x'
            can open 'echo > closed/open/x && mkdir closed/open/d && mv free/deep/y closed/open/d/z'
            can closed 'echo > closed/x'
            can written 'echo > closed/file'
            can shortened 'truncate -s 1 closed/file'
            can removed 'rm closed/file'
            can renamed 'mv closed away'
            can linked 'ln closed/file free/file'
            can null 'echo > /dev/null'
            can read 'cat closed/file'
            can grandchild 'setsid sh -c "echo > closed/y"'
            """
        _ = bench.folder.write("closed/file", "text")
        let root = bench.folder.path
        _ = try await bench.run(
            bench.request(["/bin/sh", "-c", text, "sh", root.string]) {
                $0.workingDirectory = place.isEmpty ? root : root.appending(place)
                $0.confinement = Confinement(
                    closed: [root.appending("closed"), root.appending("missing")],
                    open: [root.appending("closed").appending("open")], isStrict: isStrict)
            })
        return bench.stdout
    }

    @Test(
        "changes what is open, and what is neither closed nor leads there",
        .enabled(if: isOffered, why), arguments: [("free", false), ("", true), ("closed/open", false)])
    func confined(place: String, isStrict: Bool) async throws {
        #expect(try await changes(in: place, isStrict: isStrict) == "free alike open null textread ")
    }

    @Test("that begins where nothing could be made then is not confined, unless that is asked for")
    func unconfined() async throws {
        let all = "root free alike open closed written shortened removed renamed null "
        #expect(try await changes(in: "") == all)
    }

    @Test("is named by what the kernel answers when it is asked for Landlock")
    func support() {
        #expect(LandlockSupport(answer: 7) == .active(version: 7))
        #expect(LandlockSupport(answer: 2) == .active(version: 2))
        #expect(LandlockSupport(answer: 1) == .tooOld(version: 1))
        #expect(LandlockSupport(answer: -EOPNOTSUPP) == .disabled)
        #expect(LandlockSupport(answer: -ENOSYS) == .missing)
        #expect(LandlockSupport(answer: -EPERM) == .missing)
    }
}

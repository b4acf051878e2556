internal import Glibc
package import SystemPackage
package import WaybillPorts
internal import WaybillStore

/// A folder of the machine for one test, open through the file-system port, and removed with everything in it when
/// the last reference goes. `ScratchFolder` is for tests that speak to the machine directly.
package final class ScratchDirectory: Sendable {
    package let path: FilePath
    package let directory: any Directory

    package init(under parent: FilePath = "/tmp") throws {
        var template = Array(parent.appending("waybill-test-XXXXXX").string.utf8CString)
        guard mkdtemp(&template) != nil else {
            throw FileSystemError(errno: Errno(rawValue: errno), "make folder", parent)
        }
        path = FilePath(String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self))
        guard let opened = try LocalFileSystem().openDirectory(path) else {
            throw FileSystemError(.notFound, "open", path)
        }
        directory = opened
    }

    deinit {
        guard let name = path.lastComponent,
            let parent = try? LocalFileSystem().openDirectory(path.removingLastComponent())
        else { return }
        _ = try? parent.removeTree(FilePath(root: nil, [name]))
    }
}

internal import CLinux
internal import Glibc
package import SystemPackage
package import WaybillPorts

/// The machine's own files.
package struct LocalFileSystem: FileSystem {
    package init() {}

    package func openDirectory(_ path: FilePath) throws(FileSystemError) -> (any Directory)? {
        let descriptor = path.withPlatformString { open($0, O_RDONLY | O_DIRECTORY | O_CLOEXEC) }
        guard descriptor >= 0 else {
            let error = Errno(rawValue: errno)
            if error == .noSuchFileOrDirectory { return nil }
            throw FileSystemError(errno: error, "open", path)
        }
        return LocalDirectory(owning: descriptor, path: path)
    }

    package func createDirectories(_ path: FilePath) throws(FileSystemError) {
        var prefix = FilePath(root: path.root)
        for component in path.components {
            prefix.append(component)
            let result = prefix.withPlatformString { mkdir($0, mode_t(Permissions.folder)) }
            guard result < 0 else { continue }
            let error = Errno(rawValue: errno)
            // What cannot be a folder is found out by the component after it, or by who opens it.
            guard error == .fileExists || error == .isDirectory else {
                throw FileSystemError(errno: error, "make folder", prefix)
            }
        }
    }
}

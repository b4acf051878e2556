internal import SystemPackage

/// Where an open file of the machine is. It is put together when somebody asks: most are opened and closed without.
struct LocalPlace: Sendable {
    private let folder: FilePath
    private let relative: FilePath

    init(_ folder: FilePath, _ relative: FilePath = FilePath()) {
        self.folder = folder
        self.relative = relative
    }

    var path: FilePath { relative.isEmpty ? folder : folder.appending(relative.components) }
}

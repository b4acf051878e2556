import SystemPackage
import WaybillCore
import WaybillPorts
import WaybillStore

/// The commit a tree stands at, read from `.git` without starting git.
enum GitHead {
    private static let longestFile = 16 << 20

    /// Nil where the tree is no git work tree of its own.
    static func commit(of tree: Tree) -> String? {
        guard let git = directory(of: tree), let head = text("HEAD", in: git) else { return nil }
        guard head.hasPrefix("ref: ") else { return valid(head) }
        let name = String(head.dropFirst(5))
        let common = commonDirectory(of: git, tree) ?? git
        if let loose = text(name, in: git) ?? text(name, in: common) { return valid(loose) }
        guard let packed = text("packed-refs", in: common) else { return nil }
        for line in packed.split(separator: "\n") where line.hasSuffix(" \(name)") {
            return valid(String(line.prefix { $0 != " " }))
        }
        return nil
    }

    /// `.git`, or the folder that a file of that name points to (a linked work tree).
    private static func directory(of tree: Tree) -> (any Directory)? {
        if let git = try? tree.root.openDirectory(".git") { return git }
        guard let pointer = text(".git", in: tree.root), pointer.hasPrefix("gitdir: ") else { return nil }
        let path = tree.layout.root.pushing(FilePath(String(pointer.dropFirst(8))))
        return try? tree.fileSystem.openDirectory(path)
    }

    private static func commonDirectory(of git: any Directory, _ tree: Tree) -> (any Directory)? {
        guard let path = text("commondir", in: git) else { return nil }
        return try? tree.fileSystem.openDirectory(git.path.pushing(FilePath(path)))
    }

    private static func text(_ path: String, in directory: any Directory) -> String? {
        guard let bytes = try? directory.read(FilePath(path), limit: longestFile) else { return nil }
        var text = String(decoding: bytes, as: UTF8.self)
        while text.utf8.last == UInt8(ascii: "\n") { text.removeLast() }
        return text
    }

    private static func valid(_ text: String) -> String? {
        let isHex = text.utf8.allSatisfy { ($0 >= 0x30 && $0 <= 0x39) || ($0 >= 0x61 && $0 <= 0x66) }
        return isHex && (text.utf8.count == 40 || text.utf8.count == 64) ? text : nil
    }
}

import SystemPackage
package import WaybillPorts
package import WaybillStore

/// Drops files into inboxes the way anybody can: written aside, then moved in.
package enum Mailbox {
    /// The mode of a file that is dropped: nobody else may write it, or it would not surely be its owner's. In an inbox
    /// that is open to a group, whoever keeps it reads the file as one of that group.
    package static func permissions(inInbox status: FileStatus?) -> UInt16 {
        let isShared = (status?.permissions ?? 0) & 0o2000 != 0
        return isShared ? 0o640 : Permissions.file
    }

    /// Puts a file into an inbox. Nobody sees a part of it.
    ///
    /// - Throws: `.exists` if an unread file has the same name.
    package static func drop(
        _ name: String, _ bytes: [UInt8], into inbox: any Directory, permissions: UInt16 = Permissions.file
    ) throws(StoreError) {
        do throws(FileSystemError) {
            let path = FilePath(name)
            let aside = try TemporaryName.next(for: path, in: inbox)
            try inbox.write(bytes, toNew: aside, permissions: permissions, durability: .full)
            do throws(FileSystemError) {
                try inbox.rename(aside, to: path, in: nil, replacing: false)
            } catch {
                _ = try? inbox.remove(aside)
                throw error
            }
            try inbox.synchronize()
        } catch {
            throw StoreError(error)
        }
    }
}

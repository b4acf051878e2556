import SystemPackage
package import WaybillPorts
package import WaybillStore

/// Drops files into inboxes the way anybody can: written aside, then moved in.
package enum Mailbox {
    /// Puts a file into an inbox. Nobody sees a part of it.
    ///
    /// - Throws: `.exists` if an unread file has the same name.
    package static func drop(_ name: String, _ bytes: [UInt8], into inbox: any Directory) throws(StoreError) {
        do throws(FileSystemError) {
            let path = FilePath(name)
            let aside = try TemporaryName.next(for: path, in: inbox.path)
            try inbox.write(bytes, toNew: aside, durability: .full)
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

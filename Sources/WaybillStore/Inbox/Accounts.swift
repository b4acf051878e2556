internal import Glibc

/// The machine's users and groups, as it knows them at the moment of asking.
package enum Accounts {
    /// The largest record of a user or a group that is looked at, in bytes.
    private static let longestRecord = 1 << 24
    /// Nobody is in more groups; the kernel's own limit is 65,536.
    private static let mostGroups: CInt = 1 << 17

    /// The user that this process acts as, and so every step it starts.
    package static var ownUserID: UInt32 { geteuid() }

    /// Those of these groups that a user is in; none of a user without a name.
    package static func groups(among names: [String], of userID: UInt32) -> [String] {
        guard !names.isEmpty, let user = record(of: userID) else { return [] }
        var count: CInt = 64
        while count <= mostGroups {
            var found = count
            let groups = [gid_t](unsafeUninitializedCapacity: Int(count)) { buffer, used in
                guard let base = buffer.baseAddress else { return }
                let result = getgrouplist(user.name, user.group, base, &found)
                used = result < 0 ? 0 : Int(found)
            }
            if !groups.isEmpty {
                return names.filter { name in groupID(of: name).map(groups.contains) ?? false }
            }
            count *= 4
        }
        return []
    }

    /// The number of a group; nil if the machine knows none of that name.
    package static func groupID(of name: String) -> UInt32? {
        var size = 1_024
        while size <= longestRecord {
            var result: CInt = 0
            let number = withUnsafeTemporaryAllocation(of: CChar.self, capacity: size) { buffer -> UInt32? in
                guard let base = buffer.baseAddress else { return nil }
                var record = Glibc.group()
                var found: UnsafeMutablePointer<Glibc.group>?
                result = getgrnam_r(name, &record, base, buffer.count, &found)
                return found == nil ? nil : record.gr_gid
            }
            guard result == ERANGE else { return number }
            size *= 4
        }
        return nil
    }

    /// The name of a user id; nil if the machine knows none.
    package static func userName(of userID: UInt32) -> String? { record(of: userID)?.name }

    private static func record(of userID: UInt32) -> (name: String, group: gid_t)? {
        var size = 1_024
        while size <= longestRecord {
            var result: CInt = 0
            let user = withUnsafeTemporaryAllocation(of: CChar.self, capacity: size) {
                buffer -> (name: String, group: gid_t)? in
                guard let base = buffer.baseAddress else { return nil }
                var record = passwd()
                var found: UnsafeMutablePointer<passwd>?
                result = getpwuid_r(userID, &record, base, buffer.count, &found)
                guard found != nil, let name: UnsafeMutablePointer<CChar> = record.pw_name else { return nil }
                return (String(cString: name), record.pw_gid)
            }
            guard result == ERANGE else { return user }
            size *= 4
        }
        return nil
    }
}

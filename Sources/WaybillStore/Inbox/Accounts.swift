internal import Glibc

/// Names of the machine's users.
package enum Accounts {
    /// The largest record of a user that is looked at, in bytes.
    private static let longestRecord = 1 << 20

    /// The name of a user id; nil if the machine knows none.
    package static func userName(of userID: UInt32) -> String? {
        var size = 1_024
        while size <= longestRecord {
            let name = withUnsafeTemporaryAllocation(of: CChar.self, capacity: size) { buffer -> (String?, CInt) in
                guard let base = buffer.baseAddress else { return (nil, ENOMEM) }
                var record = passwd()
                var found: UnsafeMutablePointer<passwd>?
                let result = getpwuid_r(userID, &record, base, buffer.count, &found)
                guard result == 0, found != nil, let name: UnsafeMutablePointer<CChar> = record.pw_name else {
                    return (nil, result)
                }
                return (String(cString: name), 0)
            }
            guard name.1 == ERANGE else { return name.0 }
            size *= 4
        }
        return nil
    }
}

internal import Glibc

/// This process among those that share a tree.
package enum ProcessIdentity {
    package static var current: Int32 { getpid() }
}

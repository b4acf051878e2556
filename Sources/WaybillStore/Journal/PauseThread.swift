internal import Glibc

/// Lets this thread rest. The kernel offers no waiting for a `flock` with a limit, so who waits asks again.
func pauseThread(microseconds: UInt32) { usleep(microseconds) }

package import SystemPackage

/// Prints a line at once, also into a pipe.
package func say(_ line: some CustomStringConvertible, to descriptor: FileDescriptor = .standardOutput) {
    _ = try? descriptor.writeAll("\(line)\n".utf8)
}

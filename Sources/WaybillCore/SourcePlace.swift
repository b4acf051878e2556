/// A place in a file a person wrote; line and column count from 1, the column in code points.
package struct SourcePlace: Hashable, Sendable {
    /// Relative to the tree where the file is in it.
    package var file: String
    package var line: Int
    package var column: Int

    package init(file: String, line: Int, column: Int) {
        self.file = file
        self.line = line
        self.column = column
    }
}

extension SourcePlace: CustomStringConvertible {
    package var description: String { "\(file):\(line):\(column)" }
}

import WaybillCore

/// Rows under headings: aligned for people, tab-separated and bare for programs.
struct Table {
    struct Cell {
        var text: String
        /// Painted after it was padded, so that colour does not count as width.
        var paint: (Terminal, String) -> String = { _, text in text }

        static func plain(_ text: String) -> Cell { Cell(text: text) }
        static func status(_ text: String) -> Cell {
            Cell(text: text) { terminal, shown in
                let name = shown.prefix { $0 != " " }
                return terminal.paint(status: String(name)) + shown.dropFirst(name.count)
            }
        }
        static func faint(_ text: String) -> Cell {
            Cell(text: text) { terminal, shown in terminal.paint(shown, .dim) }
        }
    }

    private let headings: [String]
    private var rows: [[Cell]] = []

    init(_ headings: String...) { self.headings = headings }

    mutating func add(_ cells: Cell...) { rows.append(cells) }

    var isEmpty: Bool { rows.isEmpty }

    /// As a terminal or anything else should see it, with a final newline; empty without rows.
    func text(for terminal: Terminal) -> String {
        terminal.isInteractive ? aligned(for: terminal) : tabSeparated
    }

    /// Tabs and newlines inside a cell become spaces: one row is one line, whatever is in it.
    var tabSeparated: String {
        rows.map { row in row.map { Text.oneLine($0.text) }.joined(separator: "\t") + "\n" }.joined()
    }

    /// Columns two spaces apart; the last one is cut at the terminal's edge.
    func aligned(for terminal: Terminal) -> String {
        guard !rows.isEmpty else { return "" }
        let texts = [headings] + rows.map { $0.map { Text.oneLine($0.text) } }
        let widths = headings.indices.map { column in texts.map { Text.width($0[column]) }.max() ?? 0 }
        var result = ""
        for (index, row) in texts.enumerated() {
            var line = ""
            var used = 0
            for (column, text) in row.enumerated() {
                let isLast = column == row.count - 1
                let shown = isLast ? Text.cut(text, to: terminal.width - used) : Text.pad(text, to: widths[column])
                used += widths[column] + 2
                if index == 0 {
                    line += terminal.paint(shown, .dim)
                } else {
                    line += rows[index - 1][column].paint(terminal, shown)
                }
                if !isLast { line += "  " }
            }
            while line.last == " " { line.removeLast() }
            result += line + "\n"
        }
        return result
    }
}

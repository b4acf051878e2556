import Testing

@testable import WaybillCommands

@Suite("Tables")
struct TableTests {
    private var table: Table {
        var table = Table("RUN", "STATUS", "DETAIL")
        table.add(.plain("a-1"), .status("completed"), .plain(""))
        table.add(.plain("long-name-2"), .status("waiting"), .faint("for\tsomebody to\nanswer it"))
        return table
    }

    @Test("programs get one row a line, tab-separated, without headings")
    func plain() {
        #expect(
            table.text(for: .plain) == "a-1\tcompleted\t\nlong-name-2\twaiting\tfor somebody to answer it\n")
    }

    @Test("people get columns, cut at the edge of their terminal")
    func aligned() {
        let terminal = Terminal(isInteractive: true, width: 40)
        #expect(
            table.text(for: terminal) == """
                RUN          STATUS     DETAIL
                a-1          completed
                long-name-2  waiting    for somebody to…

                """)
    }

    @Test("colour does not change the columns")
    func colour() {
        let terminal = Terminal(isInteractive: true, width: 80, hasColour: true)
        let lines = table.text(for: terminal).split(separator: "\n")
        #expect(lines[1] == "a-1          \u{1B}[32mcompleted\u{1B}[0m")
    }

    @Test("a table without rows has no headings either")
    func empty() {
        #expect(Table("A", "B").text(for: Terminal(isInteractive: true, width: 80)) == "")
    }
}
